"""Records of the durable log: every write after the bulk load is one of these.

Wire form: JSON with the tag `record`. Times are milliseconds since 1970 UTC.
"""

import msgspec

from domain.rules import Rule

Scalar = str | int | float | bool | None
Properties = dict[str, Scalar | list[str]]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="event", omit_defaults=True, gc=False):
    """A user did something with an item. The same event_id counts once, for ever."""

    event_id: str
    user_id: str
    item_id: str
    kind: str
    at: int
    value: float | None = None
    session_id: str | None = None
    recommendation_id: str | None = None
    position: int | None = None


class RelationEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A relation as an item or a user lists it: to which node, by which declared type."""

    type: str
    entity_id: str
    weight: float | None = None


class ItemPut(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="item_put"):
    """The whole item: what is not named is removed. `relations` are all its outgoing knowledge relations."""

    item_id: str
    name: str
    item_kind: str
    available: bool
    created_at: int | None
    properties: Properties
    relations: tuple[RelationEnd, ...]


class UserPut(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="user_put"):
    """The whole user. `relations` are static-profile relations; `preferences`: PREFERS edges; `follows`: user ids."""

    user_id: str
    properties: Properties
    relations: tuple[RelationEnd, ...] = ()
    preferences: tuple[RelationEnd, ...] = ()
    follows: tuple[str, ...] = ()


class UserErased(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="user_erased"):
    """The user and everything about them goes."""

    user_id: str


class UserMerged(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="user_merged"):
    """A visitor turned out to be a user: events and stated tastes of `from_id` are the user's now, and from_id is gone.

    Where both state a taste for an entity, the user's own counts. Later events of from_id begin a visitor anew.
    """

    user_id: str
    from_id: str


class ItemRetired(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="item_retired"):
    """available = false; history stays."""

    item_id: str


class EntityPut(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="entity_put"):
    """An entity of a declared type. entity_id is "Type:key"."""

    entity_id: str
    name: str | None


class EntityDeleted(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="entity_deleted"):
    entity_id: str


class RelationPut(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="relation_put"):
    """One relation of a declared type between ids of the labels that the type joins.

    head_label: "User" where the head is a person, so that an erasure finds the record; FOLLOWS and PREFERS need it not.
    """

    type: str
    head_id: str
    tail_id: str
    weight: float | None = None
    head_label: str | None = None


class RelationDeleted(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="relation_deleted"):
    """head_label: as in RelationPut."""

    type: str
    head_id: str
    tail_id: str
    head_label: str | None = None


class RulePut(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="rule_put", omit_defaults=True):
    """The whole rule. at: when, ms UTC. by: who. based_on: the version that it replaces; 0: there is none.

    A put whose `based_on` is not the version at its place in the log does nothing, in every projection alike.
    """

    rule_id: str
    rule: Rule
    at: int
    by: str
    based_on: int | None = None


class RuleDeleted(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="rule_deleted", omit_defaults=True
):
    """The rule no longer holds; its versions stay. at, by, based_on: as in RulePut."""

    rule_id: str
    at: int
    by: str
    based_on: int | None = None


Record = (
    Event
    | ItemPut
    | ItemRetired
    | UserPut
    | UserErased
    | UserMerged
    | EntityPut
    | EntityDeleted
    | RelationPut
    | RelationDeleted
    | RulePut
    | RuleDeleted
)


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not loaded, and why. line: 1-based in the file, header included; None where rows have no lines."""

    source: str
    line: int | None
    field: str
    reason: str
