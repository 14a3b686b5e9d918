// Versions of rules are told apart by the rule's id and the offset in the log.
//   no parameters
//   rows: none
CREATE CONSTRAINT rule_version_id IF NOT EXISTS
FOR (version:RuleVersion)
REQUIRE version.id IS UNIQUE
