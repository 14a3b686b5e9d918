// What people who had an item had besides.
//   $item_id STRING
//   rows: item_id STRING, name STRING, people INTEGER
MATCH (:Item {id: $item_id})<-[:INTERACTED]-(user:User)
WITH DISTINCT user
MATCH (user)-[:INTERACTED]->(other:Item)
WHERE other.id <> $item_id
WITH other, count(DISTINCT user) AS people
RETURN other.id AS item_id, other.name AS name, people
ORDER BY people DESC, item_id
LIMIT 25
