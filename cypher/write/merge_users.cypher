// A visitor who turned out to be a user: events and stated tastes become the user's, then the visitor goes.
// An event is made anew with the same properties, for a relationship cannot change its ends; nothing is doubled.
//   $user_id, $from_id STRING: both users are there
//   rows: none
MATCH (user:User {id: $user_id})
USING INDEX SEEK user:User(id)
MATCH (visitor:User {id: $from_id})
USING INDEX SEEK visitor:User(id)
CALL (user, visitor) {
  MATCH (visitor)-[old:INTERACTED]->(item:Item)
  WITH user, item, old, properties(old) AS kept
  DELETE old
  CREATE (user)-[event:INTERACTED]->(item)
  SET event = kept
  RETURN count(event) AS moved
}
CALL (user, visitor) {
  MATCH (visitor)-[taste:PREFERS]->(entity:Entity)
  WHERE NOT EXISTS { (user)-[:PREFERS]->(entity) }
  CREATE (user)-[new:PREFERS]->(entity)
  SET new = properties(taste)
  RETURN count(new) AS stated
}
DETACH DELETE visitor
