// How much the graph holds.
//   no parameters
//   rows: users INTEGER, items INTEGER, entities INTEGER, events INTEGER, relationships INTEGER
RETURN
  COUNT { (user:User) } AS users,
  COUNT { (item:Item) } AS items,
  COUNT { (entity:Entity) } AS entities,
  COUNT { ()-[event:INTERACTED]->() } AS events,
  COUNT { ()-[relationship]->() } AS relationships
LIMIT 1
