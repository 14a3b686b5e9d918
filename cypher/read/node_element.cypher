// A node by its id, as an analyst names it.
//   $id STRING; slots: label User, Item or Entity
//   rows: node NODE, element_id STRING
MATCH (node:{{label}} {id: $id})
RETURN node, elementId(node) AS element_id
LIMIT 1
