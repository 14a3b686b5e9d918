// The events of a user with some items.
//   $user_id STRING, $item_ids LIST<STRING>
//   rows: item_id STRING, event_id STRING, kind STRING, at INTEGER (milliseconds since 1970 UTC)
MATCH (user:User {id: $user_id})
USING INDEX SEEK user:User(id)
UNWIND $item_ids AS item_id
MATCH (item:Item {id: item_id})
USING INDEX SEEK item:Item(id)
MATCH (user)-[event:INTERACTED]->(item)
RETURN item_id, event.event_id AS event_id, event.kind AS kind, event.at.epochMillis AS at
ORDER BY at, event_id
LIMIT 1000
