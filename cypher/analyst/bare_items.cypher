// Items without any relation to an entity: nothing can be said of them but who had them.
//   rows: item_id STRING, name STRING, events INTEGER
MATCH (item:Item)
WHERE NOT EXISTS { (item)--(:Entity) }
RETURN item.id AS item_id, item.name AS name, COUNT { (item)<-[:INTERACTED]-() } AS events
ORDER BY events DESC, item_id
LIMIT 50
