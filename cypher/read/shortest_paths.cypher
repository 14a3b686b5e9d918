// The shortest ways between two nodes, whatever their directions, up to four relationships long.
//   $head_id, $tail_id STRING, $limit INTEGER; slots: head, tail User, Item or Entity
//   rows: path PATH
MATCH (head:{{head}} {id: $head_id}), (tail:{{tail}} {id: $tail_id})
MATCH path = SHORTEST $limit (head)-[]-{1,4}(tail)
RETURN path
ORDER BY length(path), [node IN nodes(path) | node.id]
LIMIT $limit
