// One change of a merchandising rule. What is based on another version than there is does nothing.
//   $rule_id STRING, $version_id STRING, $based_on INTEGER (null: on any; 0: on none),
//   $properties MAP: version INTEGER, at DATETIME, by STRING, body STRING (JSON; null: deleted), and what people look for
//   rows: none
OPTIONAL MATCH (before:Rule {id: $rule_id})
WITH CASE WHEN before IS NULL OR before.body IS NULL THEN 0 ELSE before.version END AS present
WHERE $based_on IS NULL OR $based_on = present
MERGE (rule:Rule {id: $rule_id})
SET rule += $properties
MERGE (version:RuleVersion {id: $version_id})
SET version += $properties, version.rule_id = $rule_id
MERGE (rule)-[:HAS_VERSION]->(version)
