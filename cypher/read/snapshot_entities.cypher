// Entities with their labels, by id, a page at a time.
//   $after STRING, $limit INTEGER
//   rows: id STRING, name STRING, labels LIST<STRING>
MATCH (entity:Entity)
WHERE entity.id > $after
WITH entity
ORDER BY entity.id
LIMIT $limit
RETURN entity.id AS id, entity.name AS name, labels(entity) AS labels
