// The path of a reason: other people took the user's item and the recommended one. Shown in Neo4j Browser.
//   $user_id, $event_item_id, $item_id STRING
//   rows: path PATH
MATCH path = (:User {id: $user_id})-[:INTERACTED]->(:Item {id: $event_item_id})
             <-[:INTERACTED]-(other:User)-[:INTERACTED]->(:Item {id: $item_id})
WHERE other.id <> $user_id
RETURN path
ORDER BY other.id
LIMIT 25
