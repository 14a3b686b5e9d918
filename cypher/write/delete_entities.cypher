// Entities go, with their relations.
//   $ids LIST<STRING>
//   rows: entity_id STRING: other entities that lost a relation
UNWIND $ids AS id
MATCH (entity:Entity {id: id})
USING INDEX SEEK entity:Entity(id)
OPTIONAL MATCH (entity)--(other:Entity)
WITH entity, collect(other.id) AS entity_ids
DETACH DELETE entity
WITH entity_ids
UNWIND entity_ids AS entity_id
RETURN DISTINCT entity_id
