// How many events of each kind there are, by how many people, from when to when.
//   rows: kind STRING, events INTEGER, people INTEGER, first DATETIME, last DATETIME
MATCH (user:User)-[event:INTERACTED]->(:Item)
WITH event.kind AS kind, count(event) AS events, count(DISTINCT user) AS people, min(event.at) AS first,
     max(event.at) AS last
RETURN kind, events, people, first, last
ORDER BY events DESC, kind
LIMIT 100
