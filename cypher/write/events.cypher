// Events that are not stored yet, told apart by event_id, which must not come twice in one call.
// The hints matter: planned while there are no events, the statement would scan, and go on with that plan for minutes.
//   $event_ids, $user_ids, $item_ids, $kinds LIST<STRING>, $values LIST<FLOAT>, $at LIST<INTEGER> (ms since 1970 UTC)
//   $session_ids, $recommendation_ids LIST<STRING>, $positions LIST<INTEGER>: or empty, where no event has any
//   rows: none
UNWIND range(0, size($event_ids) - 1) AS row
OPTIONAL MATCH ()-[known:INTERACTED {event_id: $event_ids[row]}]->()
USING INDEX SEEK known:INTERACTED(event_id)
WITH row, known
WHERE known IS NULL
MATCH (user:User {id: $user_ids[row]})
USING INDEX SEEK user:User(id)
MATCH (item:Item {id: $item_ids[row]})
USING INDEX SEEK item:Item(id)
CREATE (user)-[:INTERACTED {
  event_id: $event_ids[row],
  kind: $kinds[row],
  value: $values[row],
  at: datetime({epochMillis: $at[row]}),
  session_id: $session_ids[row],
  recommendation_id: $recommendation_ids[row],
  position: $positions[row]
}]->(item)
