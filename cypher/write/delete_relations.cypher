// Relations of one type go.
//   $heads LIST<STRING>, $tails LIST<STRING>: columns of equal length
//   slots: type, head, tail
//   rows: none
UNWIND range(0, size($heads) - 1) AS row
MATCH (head:{{head}} {id: $heads[row]})-[relation:{{type}}]->(tail:{{tail}} {id: $tails[row]})
USING INDEX SEEK head:{{head}}(id)
DELETE relation
