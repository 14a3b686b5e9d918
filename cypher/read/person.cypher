// What the graph holds of some people: each with the relations that they have themselves, page by page.
//   $ids LIST<STRING>, $skip INTEGER, $limit INTEGER
//   rows: user_id STRING, properties MAP, type STRING, relation MAP, label STRING, other_id STRING: the last four NULL
//   for a person without relations
UNWIND $ids AS id
MATCH (user:User {id: id})
USING INDEX SEEK user:User(id)
OPTIONAL MATCH (user)-[link]->(other)
RETURN
  user.id AS user_id,
  properties(user) AS properties,
  type(link) AS type,
  properties(link) AS relation,
  labels(other)[0] AS label,
  other.id AS other_id
ORDER BY user_id, type, other_id, elementId(link)
SKIP $skip
LIMIT $limit
