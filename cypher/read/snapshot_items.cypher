// Items with their properties, by id: one page as one row.
//   $after STRING, $properties LIST<STRING>, $limit INTEGER
//   rows: nodes LIST<LIST>: id STRING, properties LIST, name STRING, item_kind STRING, available BOOLEAN,
//     created_at INTEGER (ms since 1970 UTC)
MATCH (item:Item)
WHERE item.id > $after
WITH item
ORDER BY item.id
LIMIT $limit
RETURN collect([
  item.id,
  [name IN $properties | item[name]],
  item.name,
  item.item_kind,
  item.available,
  item.created_at.epochMillis
]) AS nodes
