// Items with their properties, by id, a page at a time.
//   $after STRING, $properties LIST<STRING>, $limit INTEGER
//   rows: id STRING, name STRING, item_kind STRING, available BOOLEAN, created_at INTEGER (ms UTC), properties LIST
MATCH (item:Item)
WHERE item.id > $after
WITH item
ORDER BY item.id
LIMIT $limit
RETURN
  item.id AS id,
  item.name AS name,
  item.item_kind AS item_kind,
  item.available AS available,
  item.created_at.epochMillis AS created_at,
  [name IN $properties | item[name]] AS properties
