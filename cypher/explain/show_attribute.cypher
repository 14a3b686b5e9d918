// The path of a reason: the user's item shares an entity with the recommended item. Shown in Neo4j Browser.
//   $user_id, $event_item_id, $entity_id, $item_id STRING
//   slots: relation
//   rows: path PATH
MATCH path = (:User {id: $user_id})-[event:INTERACTED]->(:Item {id: $event_item_id})
             -[:{{relation}}]-(:Entity {id: $entity_id})-[:{{relation}}]-(:Item {id: $item_id})
RETURN path
ORDER BY event.event_id
LIMIT 25
