// The path of a reason: the recommended item has an entity. Shown in Neo4j Browser.
//   $entity_id, $item_id STRING; {{relation}} a declared relation type
//   rows: path PATH
MATCH path = (:Entity {id: $entity_id})-[:{{relation}}]-(:Item {id: $item_id})
RETURN path
LIMIT 25
