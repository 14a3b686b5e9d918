"""Ranked lists and their reasons, as the recommender gives them and the API sends them."""

from typing import Any

import msgspec


class PathNode(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """label: User, Item or an entity label. A group of others has id None and a count.

    witness: one of that group, for callers with an admin key who ask for it.
    """

    label: str
    id: str | None
    name: str | None
    count: int | None = None
    witness: str | None = None


class PathEdge(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A relationship with its own start and end as stored in Neo4j (application ids; None: the group of others).

    state: "stored" (found in Neo4j now), "pending" (in the log, not drained yet) or "unchecked" (Neo4j did not answer).
    at: ISO 8601 in UTC. event_id: of the user's own event, where it is stored.
    """

    type: str
    start: str | None
    end: str | None
    kind: str | None = None
    at: str | None = None
    event_id: str | None = None
    state: str


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """Nodes in walking order, len(edges) = len(nodes) - 1. verified: every edge was found in Neo4j just now."""

    nodes: tuple[PathNode, ...]
    edges: tuple[PathEdge, ...]
    verified: bool = False


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """share: of the positive parts. code: same_entity, taken_together, stated_taste, similar_people, popular, taste,
    query, rules, or context: a shared attribute that carried no weight, whose share is 0.

    events: how many of the user's events it covers; entities: how many shared entities, which are of one relation.
    weak: it explains less than 15 % of the positive parts.
    cypher, browser_url: open the path in Neo4j Browser; in explanations.
    """

    code: str
    text: str
    share: float
    path: Path | None
    more_paths: int = 0
    events: int = 1
    entities: int = 1
    weak: bool = False
    context: bool = False
    cypher: str | None = None
    browser_url: str | None = None


class RuleEffect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a merchandising rule did to an item."""

    rule_id: str
    effect: str
    value: float | None = None


class RankedItem(msgspec.Struct, frozen=True, kw_only=True):
    item_id: str
    rank: int
    score: float
    name: str
    reasons: tuple[Reason, ...] = ()
    rules: tuple[RuleEffect, ...] = ()


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """An asked-for item that is not ranked. code: unknown_item, unavailable, hidden, filtered."""

    item_id: str
    code: str


class RankedList(msgspec.Struct, frozen=True, kw_only=True):
    """strategy: model, session, preferences, cold_start, popular or similar. notes: what else a caller should know."""

    recommendation_id: str
    user_id: str | None
    strategy: str
    fallback: bool
    model_version: str | None
    items: tuple[RankedItem, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    took_ms: float = 0.0


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named part of a score.

    name: entity, behaviour, taste, popularity, people, cold_start, impressions, query or rules.
    """

    name: str
    value: float
    share: float


class Contribution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One term of the score: an event through an entity (relation, entity_id) or, without entity, behaviour."""

    item_id: str
    kind: str
    value: float
    share: float
    relation: str | None = None
    entity_id: str | None = None
    people: int | None = None


class RemovedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of a user's events. at: ISO 8601 in UTC. event_id: where Neo4j could be asked."""

    kind: str
    at: str
    value: float | None = None
    event_id: str | None = None


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the user, and all their events with it. amount: what it adds to the score in question."""

    item_id: str
    name: str
    amount: float
    events: tuple[RemovedEvent, ...]


class Counterfactual(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fewest of the user's items without which the item is not among the first n; what they have seen stays out.

    removed: the largest amount first. score: of the item then. instead: an item that comes into the list.
    is_smallest: no smaller set would do, by the exact amounts of the served scores. tried: sets for which a list was
    made anew, the last of which is the answer. why: not found, because the item is not_in_list; because there is
    no_model for this user, nothing_else to show, not_enough to remove, or the search ran out_of_time.
    """

    n: int
    rank: int | None
    found: bool
    removed: tuple[Removed, ...] = ()
    score: float | None = None
    instead: str | None = None
    is_smallest: bool = False
    tried: int = 0
    why: str | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is different without some edges. score, rank: with them. score_change: of the score made anew.

    stated_change: of the terms that are gone, all else as it was; the exact amounts of the explanation with them.
    """

    without: tuple[str, ...]
    score: float
    rank: int | None
    score_change: float
    stated_change: float


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The exact split of one score. sum(part.value) = score. `cypher` opens the first path in Neo4j Browser.

    contributions: the terms of the parts entity and behaviour, the largest first, at most 200; unlisted: what the other
    terms add up to, those of sensitive entities among them. rules: what the shop's rules did to the item. user_id None:
    of a visitor's session or of stated tastes.
    """

    user_id: str | None
    item_id: str
    name: str
    score: float
    rank: int | None
    strategy: str
    model_version: str | None
    parts: tuple[Part, ...]
    contributions: tuple[Contribution, ...]
    unlisted: float = 0.0
    reasons: tuple[Reason, ...]
    cypher: str | None
    lang: str = "en"
    rules: tuple[RuleEffect, ...] = ()
    change: Change | None = None
    counterfactual: Counterfactual | None = None


class Neighbour(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item, user or entity near another one. similarity: 1 is equal; label and name where there are any.

    shared: names of entities that two items share; common: how many items two users both took.
    """

    id: str
    similarity: float
    name: str | None = None
    label: str | None = None
    shared: tuple[str, ...] = ()
    common: int | None = None


class RecentEvent(msgspec.Struct, frozen=True, kw_only=True):
    item_id: str
    name: str
    kind: str
    value: float | None
    at: str
    weight: float


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a user: static features, and features of what they did. `entities` are the nearest ones.

    recent: the newest events; weight: what their item says of the user's taste now. session: the items of the visit
    that is going on, newest first. impressions: items that were shown of late and ignored. opt_out: nothing is known,
    because the user wants it so.
    """

    user_id: str
    opt_out: bool
    static: dict[str, Any]
    preferences: tuple[Neighbour, ...]
    events: int
    items: int
    last_seen: str | None
    segment: str
    kinds: dict[str, int]
    recent: tuple[RecentEvent, ...]
    session: tuple[str, ...]
    impressions: int
    entities: tuple[Neighbour, ...]


class Found(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user, item or entity that answers a search. kind: "user", "item" or "entity".

    label: "User", the item's kind or the entity's type. count: of a user's events, of people who took an item, of an
    entity's items. available: of an item.
    """

    kind: str
    id: str
    name: str
    label: str
    count: int
    available: bool = True


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Kind by kind, the best fit first."""

    query: str
    found: tuple[Found, ...]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is shown often. lists: how many of the lists have it; share: of all of them."""

    item_id: str
    name: str
    lists: int
    share: float


class CatalogueHealth(msgspec.Struct, frozen=True, kw_only=True):
    """What `lists` lists of `n` items, for users evenly picked, show of the catalogue, and what joins it together.

    shown: items in at least one of the lists; coverage: their share of the available ones. never_items: available, and
    in none, those that most people took first. popular_shown_share: of the places in the lists, those held by the tenth
    of the catalogue that most people took; popular_taken_share: the same of what people took. bare_items: without any
    relation. hubs: entities with the most items. At most 50 are named in each part.
    """

    items: int
    available: int
    entities: int
    lists: int
    n: int
    shown: int
    coverage: float
    popular_shown_share: float
    popular_taken_share: float
    never: int
    never_items: tuple[Found, ...]
    most_shown: tuple[Shown, ...]
    bare: int
    bare_items: tuple[Found, ...]
    hubs: tuple[Found, ...]
