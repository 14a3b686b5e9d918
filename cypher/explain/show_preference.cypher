// The path of a reason: the recommended item has an entity that the user prefers. Shown in Neo4j Browser.
//   $user_id, $entity_id, $item_id STRING
//   slots: relation
//   rows: path PATH
MATCH path = (:User {id: $user_id})-[:PREFERS]->(:Entity {id: $entity_id})-[:{{relation}}]-(:Item {id: $item_id})
RETURN path
ORDER BY length(path)
LIMIT 25
