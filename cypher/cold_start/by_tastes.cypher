// Items of stated tastes. What an entity is worth falls with the number of its items: a director says more than a genre.
//   $tastes LIST<MAP> {entity_id, weight}, $relations LIST<STRING> declared types between items and entities,
//   $per_taste INTEGER the most taken items looked at per taste, $limit INTEGER
//   rows: item_id STRING, taken INTEGER interactions, shared LIST<MAP> {entity_id, type, value}
UNWIND $tastes AS taste
MATCH (entity:Entity {id: taste.entity_id})
CALL (taste, entity) {
  MATCH (entity)-[relation]-(item:Item)
  WHERE type(relation) IN $relations AND item.available
  WITH item, type(relation) AS type, COUNT { (item)<-[:INTERACTED]-() } AS taken, COUNT { (entity)--() } AS degree
  ORDER BY taken DESC, item.id, type
  LIMIT $per_taste
  RETURN item, type, taken, taste.weight / log(2 + degree) AS value
}
WITH item, taken, collect({entity_id: entity.id, type: type, value: value}) AS shared, sum(value) AS worth
RETURN item.id AS item_id, taken, shared
ORDER BY worth DESC, taken DESC, item_id
LIMIT $limit
