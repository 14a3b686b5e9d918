// Entities with their labels, by id: one page as one row.
//   $after STRING, $limit INTEGER
//   rows: nodes LIST<LIST>: id STRING, labels LIST<STRING>, name STRING
MATCH (entity:Entity)
WHERE entity.id > $after
WITH entity
ORDER BY entity.id
LIMIT $limit
RETURN collect([entity.id, labels(entity), entity.name]) AS nodes
