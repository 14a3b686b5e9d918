// What people with the same static profile took, lifted over what everybody takes.
//   $user_id STRING, $entity_ids LIST<STRING> the profile's values, $relations LIST<STRING> static relation types,
//   $kinds LIST<MAP> {kind, least (null: any value)} events that count for an item, $users INTEGER all users,
//   $peers INTEGER the most people asked, those who share most and rarest first, $limit INTEGER
//   rows: item_id STRING, score FLOAT, liked INTEGER of the people asked, peers INTEGER people asked
UNWIND $entity_ids AS entity_id
MATCH (value:Entity {id: entity_id})<-[own]-(peer:User)
WHERE type(own) IN $relations AND peer.id <> $user_id
WITH peer, sum(1.0 / log(2 + COUNT { (value)--() })) AS alike
ORDER BY alike DESC, peer.id
LIMIT $peers
WITH collect(peer) AS asked
UNWIND asked AS peer
MATCH (peer)-[event:INTERACTED]->(item:Item)
WHERE item.available
  AND any(counted IN $kinds WHERE counted.kind = event.kind AND (counted.least IS NULL OR event.value >= counted.least))
WITH size(asked) AS peers, item, count(DISTINCT peer) AS liked
WITH item, peers, liked, toFloat(liked) / peers AS rate,
     toFloat(COUNT { (item)<-[:INTERACTED]-() }) / $users AS usual
WHERE liked >= 2
RETURN item.id AS item_id, rate * log(1 + rate / usual) AS score, liked, peers
ORDER BY score DESC, liked DESC, item_id
LIMIT $limit
