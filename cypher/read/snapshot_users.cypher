// Users with their properties, by id: one page as one row, for a record per node would be several times slower.
//   $after STRING, $properties LIST<STRING>, $limit INTEGER
//   rows: nodes LIST<LIST>: id STRING, properties LIST
MATCH (user:User)
WHERE user.id > $after
WITH user
ORDER BY user.id
LIMIT $limit
RETURN collect([user.id, [name IN $properties | user[name]]]) AS nodes
