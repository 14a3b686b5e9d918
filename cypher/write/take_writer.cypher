// Makes a process the one that writes a partition: where nobody is, where it was itself before, or in place of a
// writer that was seen not to move. Each turn has a higher fence; a transaction with a lower one writes nothing.
//   $id, $holder STRING; $stalled_fence, $stalled_offset INTEGER: the turn that does not move, or null
//   rows: taken BOOLEAN, holder STRING, fence INTEGER, offset INTEGER
MERGE (marker:Clew {id: $id})
SET marker.claimed = true
WITH
  marker,
  marker.holder IS NULL OR
  marker.holder = $holder OR
  coalesce(
    marker.fence = $stalled_fence AND coalesce(marker.offset, 0) = $stalled_offset, false
  ) AS taken
SET
  marker.holder = CASE WHEN taken THEN $holder ELSE marker.holder END,
  marker.fence = coalesce(marker.fence, 0) + CASE WHEN taken THEN 1 ELSE 0 END
RETURN taken, marker.holder AS holder, marker.fence AS fence, coalesce(marker.offset, 0) AS offset
