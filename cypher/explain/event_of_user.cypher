// Which item an event of a user is about, and when it was.
//   $user_id, $event_id STRING
//   rows: item_id STRING, kind STRING, at INTEGER (milliseconds since 1970 UTC)
MATCH (user:User)-[event:INTERACTED {event_id: $event_id}]->(item:Item)
WHERE user.id = $user_id
RETURN item.id AS item_id, event.kind AS kind, event.at.epochMillis AS at
ORDER BY item_id
LIMIT 1
