// Events of some users in columns: one row per user and kind.
//   $user_ids LIST<STRING>, $limit INTEGER
//   rows: user_id STRING, kind STRING, item_ids LIST<STRING>, values LIST<FLOAT> (NaN: none), at LIST<INTEGER> (ms UTC)
UNWIND $user_ids AS user_id
MATCH (user:User {id: user_id})-[event:INTERACTED]->(item:Item)
RETURN
  user_id,
  event.kind AS kind,
  collect(item.id) AS item_ids,
  collect(coalesce(event.value, toFloat('NaN'))) AS values,
  collect(event.at.epochMillis) AS at
LIMIT $limit
