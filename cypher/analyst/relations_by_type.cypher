// How many relations of each type there are, and how many items have one.
//   rows: type STRING, relations INTEGER, items INTEGER
MATCH (item:Item)-[relation]-(:Entity)
WITH type(relation) AS type, count(relation) AS relations, count(DISTINCT item) AS items
RETURN type, relations, items
ORDER BY relations DESC, type
LIMIT 100
