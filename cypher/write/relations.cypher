// Relations of one type, each pair once. Pairs without both ends are left out; a weight of null is no weight.
//   $heads LIST<STRING>, $tails LIST<STRING>, $weights LIST<FLOAT>: columns of equal length, or no weights at all
//   slots: type, head, tail
//   rows: none
UNWIND range(0, size($heads) - 1) AS row
MATCH (head:{{head}} {id: $heads[row]})
USING INDEX SEEK head:{{head}}(id)
MATCH (tail:{{tail}} {id: $tails[row]})
USING INDEX SEEK tail:{{tail}}(id)
MERGE (head)-[relation:{{type}}]->(tail)
SET relation.weight = $weights[row]
