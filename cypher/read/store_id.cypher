// The identity of the stored database; another one after it was wiped or imported anew.
//   no parameters
//   rows: id STRING, created STRING
CALL db.info() YIELD id, creationDate
RETURN id, creationDate AS created
LIMIT 1
