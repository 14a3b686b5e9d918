// One of Clew's own notes: declaration, load, writer.
//   $id STRING
//   rows: properties MAP
MATCH (marker:Clew {id: $id})
RETURN properties(marker) AS properties
LIMIT 1
