// Locks the note of a writer until the end of the transaction, and gives its offset and whose turn it is.
//   $id STRING
//   rows: offset INTEGER, fence INTEGER
MERGE (marker:Clew {id: $id})
SET marker.claimed = true
WITH marker
RETURN coalesce(marker.offset, 0) AS offset, coalesce(marker.fence, 0) AS fence
