"""Why an item is not in a list, and what would bring it in."""

import msgspec


class Helper(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item whose taking would lift the one that was asked about: its score by `adds`, its place to `rank`.

    entity_id, relation, entity: what both have and the user lacks; adds_by_entity: what comes from that alone. All of
    it was computed with the event added to the user's own.
    """

    item_id: str
    name: str
    adds: float
    rank: int
    brings_in: bool
    entity_id: str | None = None
    entity: str | None = None
    relation: str | None = None
    adds_by_entity: float | None = None


class StatedHelper(msgspec.Struct, frozen=True, kw_only=True):
    """A stated taste that would lift the item, for a user who took nothing yet."""

    entity_id: str
    entity: str
    adds: float
    rank: int
    brings_in: bool


class Together(msgspec.Struct, frozen=True, kw_only=True):
    """Items that would bring it in if the user took all of them, where none does so alone; or how far they get it."""

    item_ids: tuple[str, ...]
    rank: int
    brings_in: bool


class SupposedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What "taking an item" means in the suppositions: an event of this kind and value, now."""

    kind: str
    value: float | None


class WhyNot(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that kept an item out of a list of n, in the order of precedence, told in `text`.

    code: in_list, or what kept it out (docs/why.md). rank: its place, of `of` items that may be shown, by score; for
    one that may not, where it would be. score, nth_score, gap: its own, the least of an item shown, and how much it
    lacks (below 0: nothing). parts: of the score, by name. until: ISO 8601, of a hidden item. entities, items, tastes,
    together: what would bring it in, the best first; empty where nothing that the user does would. user_id None: of a
    visitor.
    """

    user_id: str | None
    item_id: str
    name: str | None
    code: str
    text: str
    n: int
    rank: int | None = None
    of: int = 0
    score: float | None = None
    nth_score: float | None = None
    gap: float | None = None
    rule_id: str | None = None
    detail: str | None = None
    until: str | None = None
    strategy: str
    model_version: str | None
    parts: dict[str, float] = {}
    event: SupposedEvent | None = None
    entities: tuple[Helper, ...] = ()
    items: tuple[Helper, ...] = ()
    tastes: tuple[StatedHelper, ...] = ()
    together: Together | None = None
