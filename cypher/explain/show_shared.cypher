// The path of a reason from a session: an item shares an entity with the recommended item. Shown in Neo4j Browser.
//   $event_item_id, $entity_id, $item_id STRING
//   slots: relation
//   rows: path PATH
MATCH path = (:Item {id: $event_item_id})-[:{{relation}}]-(:Entity {id: $entity_id})-[:{{relation}}]-(:Item {id: $item_id})
RETURN path
ORDER BY length(path)
LIMIT 25
