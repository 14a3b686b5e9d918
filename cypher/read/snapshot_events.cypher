// Events of some users in columns: one row per kind. A user is named by the place in $user_ids.
//   $user_ids LIST<STRING>, $limit INTEGER
//   rows: kind STRING, users LIST<INTEGER>, item_ids LIST<STRING>, values LIST<FLOAT> (NaN: none),
//     at LIST<INTEGER> (ms since 1970 UTC)
UNWIND range(0, size($user_ids) - 1) AS place
MATCH (user:User {id: $user_ids[place]})-[event:INTERACTED]->(item:Item)
USING INDEX SEEK user:User(id)
RETURN
  event.kind AS kind,
  collect(place) AS users,
  collect(item.id) AS item_ids,
  collect(coalesce(event.value, toFloat('NaN'))) AS values,
  collect(event.at.epochMillis) AS at
LIMIT $limit
