// Waits until every index is filled.
//   $timeout_s INTEGER
//   rows: none
CALL db.awaitIndexes($timeout_s)
