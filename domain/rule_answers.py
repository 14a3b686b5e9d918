"""What is answered about merchandising rules."""

from typing import Any

import msgspec

from domain.answers import RuleEffect


class RuleOut(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is stored. version: goes into If-Match to change exactly this one. updated_at: ISO 8601 in UTC.

    warnings: what it finds missing, and which other rules it is at odds with.
    """

    rule_id: str
    version: int
    updated_at: str
    updated_by: str
    rule: dict[str, Any]
    warnings: tuple[str, ...] = ()


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """All rules, by falling priority, then by id."""

    rules: tuple[RuleOut, ...]


class RuleVersionOut(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a rule. rule None: it was deleted. state: "stored" in Neo4j, or "pending" in the log."""

    version: int
    at: str
    by: str
    rule: dict[str, Any] | None
    state: str


class RuleHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. complete: Neo4j answered; otherwise these are the changes since the model was trained."""

    rule_id: str
    versions: tuple[RuleVersionOut, ...]
    complete: bool


class PreviewItem(msgspec.Struct, frozen=True, kw_only=True):
    """moved: places up (above 0) or down against the other list; None: it is not in that."""

    item_id: str
    name: str
    rank: int
    score: float
    moved: int | None
    rules: tuple[RuleEffect, ...] = ()


class PreviewList(msgspec.Struct, frozen=True, kw_only=True):
    """One user's list as it is, and with the draft."""

    user_id: str
    before: tuple[PreviewItem, ...]
    after: tuple[PreviewItem, ...]
    notes: tuple[str, ...] = ()


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """changed: users whose lists differ. warnings: as in a RuleOut."""

    lists: tuple[PreviewList, ...]
    changed: int
    warnings: tuple[str, ...]
