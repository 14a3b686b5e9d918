// Locks the note of a writer until the end of the transaction, and gives its offset.
//   $id STRING
//   rows: offset INTEGER
MERGE (marker:Clew {id: $id})
SET marker.claimed = true
WITH marker
RETURN coalesce(marker.offset, 0) AS offset
