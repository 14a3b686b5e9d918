// Users without events, and what is known of them: stated tastes, a static profile, whom they follow.
//   rows: user_id STRING, tastes LIST<STRING>, profile LIST<STRING>, follows LIST<STRING>
MATCH (user:User)
WHERE NOT EXISTS { (user)-[:INTERACTED]->() }
RETURN user.id AS user_id,
       COLLECT { MATCH (user)-[:PREFERS]->(taste:Entity) RETURN taste.id ORDER BY taste.id LIMIT 20 } AS tastes,
       COLLECT { MATCH (user)-[said]->(known:Entity) WHERE type(said) <> 'PREFERS' RETURN known.id ORDER BY known.id
                 LIMIT 20 } AS profile,
       COLLECT { MATCH (user)-[:FOLLOWS]->(other:User) RETURN other.id ORDER BY other.id LIMIT 20 } AS follows
ORDER BY user_id
LIMIT 50
