// Entities of all types are told apart by id, which begins with the type.
//   no parameters
//   rows: none
CREATE CONSTRAINT entity_id IF NOT EXISTS
FOR (entity:Entity)
REQUIRE entity.id IS UNIQUE
