// The path of a reason from a session: people took both items. Shown in Neo4j Browser.
//   $event_item_id, $item_id STRING
//   rows: path PATH
MATCH path = (:Item {id: $event_item_id})<-[:INTERACTED]-(other:User)-[:INTERACTED]->(:Item {id: $item_id})
RETURN path
ORDER BY other.id
LIMIT 25
