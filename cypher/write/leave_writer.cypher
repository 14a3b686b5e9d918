// Ends a writer's turn, so that the next one need not wait.
//   $id STRING, $fence INTEGER
//   rows: none
MATCH (marker:Clew {id: $id})
WHERE marker.fence = $fence
REMOVE marker.holder
