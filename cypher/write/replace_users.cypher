// Whole users: properties that are not named go, and so do their profile, tastes and follows. Events stay.
//   $rows LIST<MAP>: id STRING, properties MAP (with id); $types LIST<STRING>: the relationship types to clear
//   rows: entity_id STRING: entities that lost a relation
UNWIND $rows AS row
MERGE (user:User {id: row.id})
SET user = row.properties
WITH user
MATCH (user)-[relation:$any($types)]->(tail)
WITH relation, tail.id AS entity_id
DELETE relation
RETURN DISTINCT entity_id
