// Nodes of a label can be found by nearness of their embeddings.
//   $options MAP: {indexConfig: {`vector.dimensions`: INTEGER, `vector.similarity_function`: STRING}}
//   slots: index, label
//   rows: none
CREATE VECTOR INDEX {{index}} IF NOT EXISTS
FOR (node:{{label}})
ON node.embedding
OPTIONS $options
