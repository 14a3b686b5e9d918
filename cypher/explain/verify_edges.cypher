// Which of these relationships exist. Both ends are found by their unique id, so a hub costs no more than its other end.
//   $events LIST<MAP> {place, user_id, item_id, kind (null: any), at (null: any; milliseconds since 1970 UTC)}
//   $item_relations LIST<MAP> {place, item_id, entity_id, type, outgoing (true: from the item)}
//   $user_relations LIST<MAP> {place, user_id, entity_id, type}
//   rows: place INTEGER of each that exists
CALL () {
  UNWIND $events AS edge
  MATCH (user:User {id: edge.user_id})
  USING INDEX user:User(id)
  MATCH (item:Item {id: edge.item_id})
  USING INDEX item:Item(id)
  WHERE EXISTS {
    MATCH (user)-[event:INTERACTED]->(item)
    WHERE (edge.kind IS NULL OR event.kind = edge.kind) AND (edge.at IS NULL OR event.at.epochMillis = edge.at)
  }
  RETURN edge.place AS place
  UNION ALL
  UNWIND $item_relations AS edge
  MATCH (item:Item {id: edge.item_id})
  USING INDEX item:Item(id)
  MATCH (entity:Entity {id: edge.entity_id})
  USING INDEX entity:Entity(id)
  WHERE EXISTS {
    MATCH (item)-[relation]-(entity)
    WHERE type(relation) = edge.type AND (startNode(relation) = item) = edge.outgoing
  }
  RETURN edge.place AS place
  UNION ALL
  UNWIND $user_relations AS edge
  MATCH (user:User {id: edge.user_id})
  USING INDEX user:User(id)
  MATCH (entity:Entity {id: edge.entity_id})
  USING INDEX entity:Entity(id)
  WHERE EXISTS {
    MATCH (user)-[relation]->(entity)
    WHERE type(relation) = edge.type
  }
  RETURN edge.place AS place
}
RETURN place
ORDER BY place
LIMIT 10000
