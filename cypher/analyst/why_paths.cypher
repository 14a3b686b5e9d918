// Why this item: every path from a user over an item they had and a shared entity to another item.
//   $user_id STRING, $item_id STRING
//   rows: path PATH
MATCH path = (:User {id: $user_id})-[event:INTERACTED]->(had:Item)--(entity:Entity)--(:Item {id: $item_id})
WHERE had.id <> $item_id
RETURN path
ORDER BY entity.degree, entity.id, event.at DESC, event.event_id
LIMIT 50
