// Entities without a name, told through the items they join.
//   rows: entity_id STRING, items LIST<STRING> names
MATCH (entity:Entity)
WHERE entity.name IS NULL
RETURN entity.id AS entity_id,
       COLLECT { MATCH (entity)--(item:Item) RETURN DISTINCT item.name AS name ORDER BY name LIMIT 3 } AS items
ORDER BY COUNT { (entity)--(:Item) } DESC, entity_id
LIMIT 50
