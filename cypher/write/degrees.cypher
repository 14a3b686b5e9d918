// Counts the relationships of entities anew.
//   $ids LIST<STRING>
//   rows: none
UNWIND $ids AS id
MATCH (entity:Entity {id: id})
USING INDEX SEEK entity:Entity(id)
SET entity.degree = COUNT { (entity)--() }
