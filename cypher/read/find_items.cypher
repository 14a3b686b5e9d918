// Items that a text finds: by their own name, or by that of an entity that they are joined with.
//   $text STRING in Lucene's syntax, $relations LIST<STRING> declared types between items and entities,
//   $per_entity INTEGER the most items of one entity, $nodes INTEGER names looked at, $limit INTEGER
//   rows: item_id STRING, score FLOAT
CALL db.index.fulltext.queryNodes('names', $text, {limit: $nodes}) YIELD node, score
CALL (node) {
  WITH node
  WHERE node:Item
  RETURN node AS item
  UNION
  MATCH (node)-[relation]-(item:Item)
  WHERE node:Entity AND type(relation) IN $relations
  WITH item
  ORDER BY item.id
  LIMIT $per_entity
  RETURN item
}
RETURN item.id AS item_id, max(score) AS score
ORDER BY score DESC, item_id
LIMIT $limit
