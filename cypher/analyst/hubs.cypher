// Entities that join the most items: what is said of nearly everything says little.
//   rows: entity_id STRING, name STRING, labels LIST<STRING>, items INTEGER
MATCH (entity:Entity)
WITH entity, COUNT { (entity)--(:Item) } AS items
RETURN entity.id AS entity_id, entity.name AS name, [label IN labels(entity) WHERE label <> 'Entity'] AS labels, items
ORDER BY items DESC, entity_id
LIMIT 25
