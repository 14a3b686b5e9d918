// Which of these relationships exist. Events: both ends are found by their unique id, so a hub costs no more than its
// other end. Relations: from the item or the user by their own type, so thousands of events cost nothing.
//   $events LIST<MAP> {place, user_id, item_id, kind (null: any), at (null: any; milliseconds since 1970 UTC)}
//   $item_relations LIST<MAP> {place, item_id, entity_id, type, outgoing (true: from the item)}
//   $user_relations LIST<MAP> {place, user_id, entity_id, type}
//   rows: place INTEGER of each that exists, event_id STRING of an event
CALL () {
  UNWIND $events AS edge
  MATCH (user:User {id: edge.user_id})
  USING INDEX SEEK user:User(id)
  MATCH (item:Item {id: edge.item_id})
  USING INDEX SEEK item:Item(id)
  WITH edge, COLLECT {
    MATCH (user)-[event:INTERACTED]->(item)
    WHERE (edge.kind IS NULL OR event.kind = edge.kind) AND (edge.at IS NULL OR event.at.epochMillis = edge.at)
    RETURN event.event_id AS event_id ORDER BY event_id LIMIT 1
  } AS event_ids
  WHERE size(event_ids) > 0
  RETURN edge.place AS place, event_ids[0] AS event_id
  UNION ALL
  UNWIND [edge IN $item_relations WHERE edge.outgoing] AS edge
  MATCH (item:Item {id: edge.item_id})
  USING INDEX SEEK item:Item(id)
  MATCH (item)-[:$(edge.type)]->(entity:Entity)
  WHERE entity.id = edge.entity_id
  RETURN edge.place AS place, NULL AS event_id
  UNION ALL
  UNWIND [edge IN $item_relations WHERE NOT edge.outgoing] AS edge
  MATCH (item:Item {id: edge.item_id})
  USING INDEX SEEK item:Item(id)
  MATCH (item)<-[:$(edge.type)]-(entity:Entity)
  WHERE entity.id = edge.entity_id
  RETURN edge.place AS place, NULL AS event_id
  UNION ALL
  UNWIND $user_relations AS edge
  MATCH (user:User {id: edge.user_id})
  USING INDEX SEEK user:User(id)
  MATCH (user)-[:$(edge.type)]->(entity:Entity)
  WHERE entity.id = edge.entity_id
  RETURN edge.place AS place, NULL AS event_id
}
RETURN place, event_id
ORDER BY place
LIMIT 10000
