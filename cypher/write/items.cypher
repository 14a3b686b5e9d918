// Items of a source: made when missing, the named properties set.
//   $rows LIST<MAP>: id STRING, properties MAP
//   rows: none
UNWIND $rows AS row
MERGE (item:Item {id: row.id})
SET item += row.properties
