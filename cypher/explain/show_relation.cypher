// The path of a reason: the recommended item has an entity. Shown in Neo4j Browser.
//   $entity_id, $item_id STRING
//   slots: relation
//   rows: path PATH
MATCH path = (:Entity {id: $entity_id})-[:{{relation}}]-(:Item {id: $item_id})
RETURN path
ORDER BY length(path)
LIMIT 25
