// Merchandising rules are told apart by id.
//   no parameters
//   rows: none
CREATE CONSTRAINT rule_id IF NOT EXISTS
FOR (rule:Rule)
REQUIRE rule.id IS UNIQUE
