"""What the API answers beside the domain's own answers: items, entities, receipts and health."""

import msgspec

from domain.answers import Neighbour
from domain.records import Properties


class RelationOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A relation of an item or a user to another node."""

    type: str
    entity_id: str
    weight: float | None = None


class ItemOut(msgspec.Struct, frozen=True, kw_only=True):
    """An item. Without item_id it is a body that PUT takes. created_at: ISO 8601 in UTC."""

    item_id: str
    name: str
    item_kind: str
    available: bool
    created_at: str | None
    properties: Properties
    relations: tuple[RelationOut, ...]


class UserOut(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of a user beside events. GET /v1/users/{user_id} shows what follows from them."""

    user_id: str
    properties: Properties
    relations: tuple[RelationOut, ...]
    preferences: tuple[RelationOut, ...]
    follows: tuple[str, ...]
    opt_out: bool


class EntityOut(msgspec.Struct, frozen=True, kw_only=True):
    """An entity. label: its type; degree: how many items are joined with it."""

    entity_id: str
    name: str | None
    label: str
    degree: int


class RejectedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was not taken. index: its place in the request, from 0."""

    index: int
    code: str
    message: str


class EventReceipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """accepted: durably written now. duplicated: were written before. Both will never be lost.

    held: kept until the item or user that they name is there, and left out when there are none.
    """

    accepted: int
    duplicated: int
    rejected: tuple[RejectedEvent, ...]
    held: int = 0


class NeighbourList(msgspec.Struct, frozen=True, kw_only=True):
    """What is near an item, a user or an entity (`id`), nearest first."""

    id: str
    neighbours: tuple[Neighbour, ...]


class GraphHealth(msgspec.Struct, frozen=True, kw_only=True):
    """version: of Neo4j. writer_lag: records of the log that Neo4j does not hold yet; None: not known.

    writer_lag_s: for how long the oldest of them has waited, to a few seconds.
    """

    ok: bool
    version: str | None = None
    writer_lag: int | None = None
    writer_lag_s: float | None = None
    error: str | None = None


class SharedHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The Redis of CLEW_PROFILES. lag: records of the log that it does not hold yet."""

    where: str
    ok: bool
    lag: int | None = None
    error: str | None = None


class ProfilesHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What this process keeps of users. evicted: how often one left memory. shared: where machines share them."""

    users: int
    bytes: int
    evicted: int
    shared: SharedHealth | None = None


class Readiness(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """status: "ready"; "degraded" (lists are served; Neo4j, the model or Redis is missing); "unready" (the log fails).

    The parts are told to callers with a read key only. error: what is wrong with the log, and what to do.
    """

    status: str
    error: str | None = None
    graph: GraphHealth | None = None
    profiles: ProfilesHealth | None = None
    model_version: str | None = None
    log_offset: int | None = None


class Liveness(msgspec.Struct, frozen=True, kw_only=True):
    """The process answers."""

    status: str = "live"
