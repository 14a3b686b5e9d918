// How much the graph holds of some people.
//   $ids LIST<STRING>
//   rows: people INTEGER, relations INTEGER: one row
UNWIND $ids AS id
OPTIONAL MATCH (user:User {id: id})
OPTIONAL MATCH (user)-[link]-()
RETURN count(DISTINCT user) AS people, count(link) AS relations
LIMIT 1
