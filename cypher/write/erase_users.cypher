// Users go, with everything about them.
//   $ids LIST<STRING>, $types LIST<STRING>: the relationship types that join users to entities
//   rows: entity_id STRING: entities that lost a relation
UNWIND $ids AS id
MATCH (user:User {id: id})
USING INDEX SEEK user:User(id)
OPTIONAL MATCH (user)-[:$any($types)]->(entity:Entity)
WITH user, collect(entity.id) AS entity_ids
DETACH DELETE user
WITH entity_ids
UNWIND entity_ids AS entity_id
RETURN DISTINCT entity_id
