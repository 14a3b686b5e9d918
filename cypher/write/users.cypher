// Users of a source: made when missing, the named properties set.
//   $rows LIST<MAP>: id STRING, properties MAP
//   rows: none
UNWIND $rows AS row
MERGE (user:User {id: row.id})
SET user += row.properties
