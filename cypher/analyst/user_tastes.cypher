// What the items of a user have in common: entities by how many of the items have them.
//   $user_id STRING
//   rows: entity_id STRING, name STRING, labels LIST<STRING>, items INTEGER, degree INTEGER of all items
MATCH (:User {id: $user_id})-[:INTERACTED]->(item:Item)
WITH DISTINCT item
MATCH (item)--(entity:Entity)
WITH entity, count(DISTINCT item) AS items
RETURN entity.id AS entity_id, entity.name AS name, [label IN labels(entity) WHERE label <> 'Entity'] AS labels, items,
       entity.degree AS degree
ORDER BY items DESC, degree, entity_id
LIMIT 50
