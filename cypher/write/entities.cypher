// Entities of one type: made when missing, the named properties set.
//   $rows LIST<MAP>: id STRING, properties MAP
//   slots: label
//   rows: none
UNWIND $rows AS row
MERGE (entity:Entity {id: row.id})
SET entity:{{label}}, entity += row.properties
