// Users with their properties, by id, a page at a time.
//   $after STRING, $properties LIST<STRING>, $limit INTEGER
//   rows: id STRING, properties LIST
MATCH (user:User)
WHERE user.id > $after
WITH user
ORDER BY user.id
LIMIT $limit
RETURN user.id AS id, [name IN $properties | user[name]] AS properties
