// The versions of a merchandising rule, newest first.
//   $rule_id STRING, $limit INTEGER
//   rows: version INTEGER, at INTEGER (ms UTC), by STRING, body STRING (JSON; null: it was deleted)
MATCH (:Rule {id: $rule_id})-[:HAS_VERSION]->(version:RuleVersion)
RETURN version.version AS version, version.at.epochMillis AS at, version.by AS by, version.body AS body
ORDER BY version DESC
LIMIT $limit
