// The relationships of some nodes, those to rare neighbours first: a hub says little.
//   $element_ids LIST<STRING>, $limit INTEGER
//   rows: relationship RELATIONSHIP, element_ids LIST<STRING> of both its ends
UNWIND $element_ids AS element_id
MATCH (node)-[relationship]-(other:User|Item|Entity)
WHERE elementId(node) = element_id
WITH DISTINCT relationship, other
ORDER BY coalesce(other.degree, 0), elementId(relationship)
LIMIT $limit
RETURN relationship, [elementId(startNode(relationship)), elementId(endNode(relationship))] AS element_ids
