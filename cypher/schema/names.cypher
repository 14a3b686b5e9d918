// Items and entities can be found by words of their names.
//   no parameters
//   rows: none
CREATE FULLTEXT INDEX names IF NOT EXISTS
FOR (node:Item|Entity)
ON EACH [node.name]
