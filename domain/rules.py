"""Merchandising rules: under which condition a rule holds, and what it then does to a list.

Wire form: JSON, as the API takes it, the log keeps it and Neo4j stores it. What is left out is left to be anything.
"""

from typing import Any, Literal

import msgspec

Effect = Literal["pin", "boost", "bury", "hide", "filter_in", "filter_out", "cap", "min_share"]
Scalar = str | int | float | bool
NEEDS: dict[str, tuple[str, ...]] = {  # effect -> the fields of a consequence that go with it
    "pin": ("item_id", "position"),
    "boost": ("target", "factor"),
    "bury": ("target", "factor"),
    "hide": ("target",),
    "filter_in": ("target",),
    "filter_out": ("target",),
    "cap": ("entity_type", "most"),
    "min_share": ("entity_id", "share"),
}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Times(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"from_": "from"}):
    """Hours of a place. zone: of the IANA database. from, until: local times `2026-12-01T00:00`, [from, until).

    hours: ("18:00", "23:00") is [18:00, 23:00) of each day; a start after the end goes on past midnight, and then
    counts for the weekday on which it began.
    """

    zone: str
    from_: str | None = None
    until: str | None = None
    weekdays: tuple[str, ...] = ()
    hours: tuple[str, str] | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is given has to hold; of a list, one entry is enough. Nothing given: the rule always holds.

    profile: property of the user -> values. entities: a stated taste, or one of the ten entities nearest to the user.
    queries: every word of one of them is in the request's query. context_entities: of the item being looked at.
    """

    placements: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    profile: dict[str, tuple[Scalar, ...]] = {}
    entities: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()
    context_items: tuple[str, ...] = ()
    context_entities: tuple[str, ...] = ()
    times: Times | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Items: those that all given parts say.

    item_ids: these. filter: as in a request. path and to: one or two relation types that lead from the item to this
    entity or item, each along or against its direction.
    """

    item_ids: tuple[str, ...] = ()
    filter: dict[str, Any] | None = None
    path: tuple[str, ...] = ()
    to: str | None = None


class Consequence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a rule does: see NEEDS for the fields of each effect.

    factor: a boost adds ln(factor) · σ of the list's scores, a bury takes it away. most: so many items of each entity
    of the type. share: of the list's places, 0 to 1, that items of the entity have at least.
    """

    effect: Effect
    target: Target | None = None
    item_id: str | None = None
    position: int | None = None
    factor: float | None = None
    entity_type: str | None = None
    most: int | None = None
    entity_id: str | None = None
    share: float | None = None


class Validity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"from_": "from"}):
    """[from, until), milliseconds since 1970 UTC."""

    from_: int | None = None
    until: int | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """priority: of two rules that want one thing each, the higher one gets it; equal ones go by id."""

    consequence: Consequence
    condition: Condition = Condition()
    description: str = ""
    author: str | None = None
    enabled: bool = True
    priority: int = 0
    validity: Validity = Validity()


class StoredRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is, or was. version: the offset in the log of the record that made it; rises with every change.

    at: milliseconds UTC of the change; by: who made it. rule None: the change was to delete it.
    """

    rule_id: str
    version: int
    at: int
    by: str
    rule: Rule | None
