// Why this item: the user's items by how many other people had both.
//   $user_id STRING, $item_id STRING
//   rows: item_id STRING, name STRING, others INTEGER
MATCH (user:User {id: $user_id})-[:INTERACTED]->(had:Item)
WHERE had.id <> $item_id
WITH DISTINCT user, had
MATCH (had)<-[:INTERACTED]-(other:User)-[:INTERACTED]->(:Item {id: $item_id})
WHERE other <> user
WITH had, count(DISTINCT other) AS others
RETURN had.id AS item_id, had.name AS name, others
ORDER BY others DESC, item_id
LIMIT 25
