// Clew's own notes (declaration, load, writer) are told apart by id.
//   no parameters
//   rows: none
CREATE CONSTRAINT clew_id IF NOT EXISTS
FOR (clew:Clew)
REQUIRE clew.id IS UNIQUE
