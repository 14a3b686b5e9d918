// Relations of one type from some heads, in columns: one row per head.
//   $head_ids LIST<STRING>, $limit INTEGER
//   slots: type, head, tail
//   rows: head_id STRING, tail_ids LIST<STRING>, weights LIST<FLOAT> (1: none given)
UNWIND $head_ids AS head_id
MATCH (head:{{head}} {id: head_id})-[relation:{{type}}]->(tail:{{tail}})
RETURN head_id, collect(tail.id) AS tail_ids, collect(coalesce(relation.weight, 1.0)) AS weights
LIMIT $limit
