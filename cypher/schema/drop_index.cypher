// Drops an index, when it is there.
//   slots: index
//   rows: none
DROP INDEX {{index}} IF EXISTS
