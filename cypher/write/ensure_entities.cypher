// Makes the entities of one type that are missing, without a name.
//   $ids LIST<STRING>
//   slots: label
//   rows: none
UNWIND $ids AS id
MERGE (entity:Entity {id: id})
ON CREATE SET entity:{{label}}, entity.degree = 0
