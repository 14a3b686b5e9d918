// How many nodes there are, Clew's own notes left out.
//   no parameters
//   rows: nodes INTEGER
RETURN COUNT { (node) } - COUNT { (marker:Clew) } AS nodes
LIMIT 1
