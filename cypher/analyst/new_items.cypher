// Items that nobody had yet and that are known by their relations: cold start can place them.
//   rows: item_id STRING, name STRING, relations INTEGER
MATCH (item:Item)
WHERE NOT EXISTS { (item)<-[:INTERACTED]-() } AND EXISTS { (item)--(:Entity) }
RETURN item.id AS item_id, item.name AS name, COUNT { (item)--(:Entity) } AS relations
ORDER BY relations DESC, item_id
LIMIT 50
