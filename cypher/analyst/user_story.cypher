// What a user did, newest first.
//   $user_id STRING
//   rows: at DATETIME, kind STRING, value FLOAT, item_id STRING, name STRING
MATCH (:User {id: $user_id})-[event:INTERACTED]->(item:Item)
RETURN event.at AS at, event.kind AS kind, event.value AS value, item.id AS item_id, item.name AS name
ORDER BY at DESC, item_id, kind
LIMIT 100
