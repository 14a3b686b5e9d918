// Makes the users that are missing.
//   $ids LIST<STRING>
//   rows: none
UNWIND $ids AS id
MERGE (:User {id: id})
