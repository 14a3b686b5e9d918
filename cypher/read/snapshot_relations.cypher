// Relations of one type from some heads, in columns, as one row. A head is named by the place in $head_ids.
//   $head_ids LIST<STRING>, $limit INTEGER
//   slots: type, head, tail
//   rows: heads LIST<INTEGER>, tail_ids LIST<STRING>, weights LIST<FLOAT> (1: none given)
UNWIND range(0, size($head_ids) - 1) AS place
MATCH (head:{{head}} {id: $head_ids[place]})-[relation:{{type}}]->(tail:{{tail}})
USING INDEX SEEK head:{{head}}(id)
RETURN collect(place) AS heads, collect(tail.id) AS tail_ids, collect(coalesce(relation.weight, 1.0)) AS weights
LIMIT $limit
