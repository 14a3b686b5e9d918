// Writes one of Clew's own notes. Properties that are null go.
//   $id STRING, $properties MAP
//   rows: none
MERGE (marker:Clew {id: $id})
SET marker += $properties
