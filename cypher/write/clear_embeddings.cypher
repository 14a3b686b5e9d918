// Takes away vectors of other versions than the given one, some at a time.
//   $version STRING, $limit INTEGER
//   slots: label
//   rows: cleared INTEGER
MATCH (node:{{label}})
WHERE node.embedding_version <> $version
WITH node
LIMIT $limit
REMOVE node.embedding, node.embedding_version
RETURN count(node) AS cleared
