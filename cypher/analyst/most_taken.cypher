// The items that most people had.
//   rows: item_id STRING, name STRING, people INTEGER, events INTEGER
MATCH (item:Item)<-[event:INTERACTED]-(user:User)
WITH item, count(DISTINCT user) AS people, count(event) AS events
RETURN item.id AS item_id, item.name AS name, people, events
ORDER BY people DESC, item_id
LIMIT 25
