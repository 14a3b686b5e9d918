// Users are told apart by id.
//   no parameters
//   rows: none
CREATE CONSTRAINT user_id IF NOT EXISTS
FOR (user:User)
REQUIRE user.id IS UNIQUE
