// Whole items: properties that are not named go, and so do all outgoing relations. Embeddings stay.
//   $rows LIST<MAP>: id STRING, properties MAP (with id)
//   rows: entity_id STRING: entities that lost a relation
UNWIND $rows AS row
MERGE (item:Item {id: row.id})
WITH item, row, item.embedding AS embedding, item.embedding_version AS embedding_version
SET item = row.properties, item.embedding = embedding, item.embedding_version = embedding_version
WITH item
MATCH (item)-[relation]->(tail)
WITH relation, tail.id AS entity_id
DELETE relation
RETURN DISTINCT entity_id
