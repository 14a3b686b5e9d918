// The merchandising rules that there are.
//   $limit INTEGER
//   rows: rule_id STRING, version INTEGER, at INTEGER (ms UTC), by STRING, body STRING (JSON)
MATCH (rule:Rule)
WHERE rule.body IS NOT NULL
RETURN rule.id AS rule_id, rule.version AS version, rule.at.epochMillis AS at, rule.by AS by, rule.body AS body
ORDER BY rule_id
LIMIT $limit
