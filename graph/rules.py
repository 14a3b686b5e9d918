"""Merchandising rules in the graph: the rule as it is, and every version that it had."""

from collections.abc import Iterable
from typing import cast

import msgspec

from cypher import statement
from domain.records import RuleDeleted, RulePut
from domain.rules import Rule, StoredRule
from graph.columns import as_datetime
from graph.driver import Transaction


def write_rules(transaction: Transaction, records: Iterable[tuple[int, RulePut | RuleDeleted]]) -> None:
    """Changes of rules, one after the other: each may be based on the one before. Twice equals once."""
    for offset, record in records:
        parameters: dict[str, object] = {
            "rule_id": record.rule_id,
            "version_id": f"{record.rule_id}@{offset}",
            "based_on": record.based_on,
            "properties": {
                "version": offset,
                "at": as_datetime(record.at),
                "by": record.by,
                **_properties(record.rule if isinstance(record, RulePut) else None),
            },
        }
        transaction.run(statement("write/rule"), parameters)


def stored_rules(rows: Iterable[dict[str, object]]) -> tuple[StoredRule, ...]:
    """Rows of read/snapshot_rules as rules."""
    return tuple(stored_rule(row, str(row["rule_id"])) for row in rows)


def stored_rule(row: dict[str, object], rule_id: str) -> StoredRule:
    """A row with version, at, by and body."""
    body = row["body"]
    return StoredRule(
        rule_id=rule_id,
        version=cast(int, row["version"]),
        at=cast(int, row["at"]),
        by=str(row["by"]),
        rule=None if body is None else msgspec.json.decode(str(body), type=Rule),
    )


def _properties(rule: Rule | None) -> dict[str, object]:
    """What an analyst looks for, and the whole as JSON. None: deleted; then nothing of it is left."""
    return {
        "body": None if rule is None else msgspec.json.encode(rule).decode(),
        "effect": None if rule is None else rule.consequence.effect,
        "enabled": rule is not None and rule.enabled,
        "priority": None if rule is None else rule.priority,
        "description": None if rule is None else rule.description,
        "author": None if rule is None else rule.author,
    }
