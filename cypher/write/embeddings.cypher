// Vectors of a trained model, for nodes that exist.
//   $ids LIST<STRING>, $vectors LIST<LIST<FLOAT>>: columns of equal length; $version STRING
//   slots: label
//   rows: none
UNWIND range(0, size($ids) - 1) AS row
MATCH (node:{{label}} {id: $ids[row]})
USING INDEX SEEK node:{{label}}(id)
SET node.embedding = $vectors[row], node.embedding_version = $version
