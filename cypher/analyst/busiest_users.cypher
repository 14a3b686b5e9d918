// The users who did the most.
//   rows: user_id STRING, events INTEGER, items INTEGER
MATCH (user:User)-[event:INTERACTED]->(item:Item)
WITH user, count(event) AS events, count(DISTINCT item) AS items
RETURN user.id AS user_id, events, items
ORDER BY events DESC, user_id
LIMIT 25
