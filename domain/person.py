"""Everything that is held of a person, for that person."""

from typing import Any

import msgspec

from domain.answers import Profile
from domain.records import Properties, Record, RelationEnd


class HeldLetter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that was put aside. buried_at: ISO 8601 in UTC. waits_for: what a held one waits for."""

    payload: Any
    code: str
    message: str
    buried_at: str
    waits_for: str | None = None


class HeldEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of the snapshot that serves: loaded, or written into the graph before it was taken."""

    user_id: str
    item_id: str
    kind: str
    at: str
    value: float | None = None


class HeldRelation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A relationship of the person's node in Neo4j to another node. Who follows the person is not told."""

    user_id: str
    type: str
    label: str | None
    id: str | None
    properties: dict[str, Any]


class HeldInGraph(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """nodes: the properties of the person's nodes, by id. error: why Neo4j could not be asked."""

    nodes: dict[str, dict[str, Any]]
    relations: tuple[HeldRelation, ...]
    error: str | None = None


class PersonExport(msgspec.Struct, frozen=True, kw_only=True):
    """Store by store, under the names of the erasure's receipt. exported_at: ISO 8601 in UTC.

    also: visitors who turned out to be this person. profile: what is made of it all; None for somebody without any.
    log: every record, as it was written. other: answers of the ledger, and what else holds something.
    """

    user_id: str
    exported_at: str
    also: tuple[str, ...]
    opt_out: bool
    properties: Properties
    relations: tuple[RelationEnd, ...]
    preferences: tuple[RelationEnd, ...]
    follows: tuple[str, ...]
    profile: Profile | None
    snapshot: tuple[HeldEvent, ...]
    log: tuple[Record, ...]
    dead_letters: tuple[HeldLetter, ...]
    graph: HeldInGraph | None
    other: dict[str, tuple[Any, ...]]
