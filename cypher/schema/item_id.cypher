// Items are told apart by id.
//   no parameters
//   rows: none
CREATE CONSTRAINT item_id IF NOT EXISTS
FOR (item:Item)
REQUIRE item.id IS UNIQUE
