"""What the ledger tells of an answer: what was considered, what became of each item, and why."""

from typing import Any

import msgspec

from domain.answers import LeftOut, RankedItem, Reason, RuleEffect


class LedgerRemoval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What kept a candidate out: the first thing in the order of precedence (docs/why.md lists the codes)."""

    code: str
    rule_id: str | None = None
    detail: str | None = None


class LedgerCandidate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item that was considered. model_score: the sum of the model's parts; score: with the part of the rules.

    source: the strategy that found it, or "rule" for a pinned item that the model did not put forward. model_rank: by
    model_score among all candidates. rank: as shown; moved: how many places rules and diversity lifted it, below 0
    for lowered, among the items that could be shown. removed: why it is not shown; None with a rank, or when better
    ones filled the list.
    """

    item_id: str
    name: str | None
    source: str
    model_rank: int | None
    model_score: float
    parts: dict[str, float]
    score: float
    rank: int | None = None
    moved: int | None = None
    rules: tuple[RuleEffect, ...] = ()
    removed: LedgerRemoval | None = None


class LedgerGraph(msgspec.Struct, frozen=True, kw_only=True):
    """The graph that an answer was made of: a snapshot and the records of the log up to an offset."""

    snapshot: str
    log_offset: int


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as it was given, and how it came about. at: ISO 8601 in UTC. request: what is not at its default.

    items, left_out, notes: as given. Of a visitor's session only the length is kept, and reasons without what they
    name. rules: ids of those that held. candidates: by model_rank, best first.
    """

    recommendation_id: str
    at: str
    user_id: str | None
    request: dict[str, Any]
    strategy: str
    fallback: bool
    model_version: str | None
    graph: LedgerGraph
    items: tuple[RankedItem, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]
    rules: tuple[str, ...]
    warnings: tuple[str, ...]
    candidates: tuple[LedgerCandidate, ...]
    took_ms: float


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """An answer in a list of answers. item_ids: as shown."""

    recommendation_id: str
    at: str
    user_id: str | None
    item_ids: tuple[str, ...]


class LedgerList(msgspec.Struct, frozen=True, kw_only=True):
    """Answers, newest first."""

    answers: tuple[LedgerLine, ...]


class PastExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why an item was recommended then: the newest answer up to `as_of` that showed it to the user.

    rank, score, parts, rules, reasons: as given at `at`. Edges were checked now: "stored", "pending", "gone" (neither
    Neo4j nor the log has it any more) or "unchecked" (Neo4j did not answer).
    """

    user_id: str
    item_id: str
    name: str
    as_of: str
    at: str
    recommendation_id: str
    rank: int
    score: float
    strategy: str
    model_version: str | None
    graph: LedgerGraph
    parts: dict[str, float]
    rules: tuple[RuleEffect, ...]
    reasons: tuple[Reason, ...]
    notes: tuple[str, ...]
