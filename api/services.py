"""What the routes work with. Built once by clew.wiring, handed to create_app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from api.keys import ApiKey
from domain.graph_answers import GraphAnswer
from domain.rules import StoredRule
from ingest.log_contract import DurableLog
from recommend.erasure import Eraser
from recommend.ledger import Ledger
from recommend.recommender import Recommender
from recommend.shelf import SharedState
from recommend.world import World


class Graph(Protocol):
    """What the API asks Neo4j itself: how it is, and what analysts want to know.

    Raises: GraphUnavailable, GraphRefused; query also InvalidQuery, QueryRefused, QueryTooCostly.
    """

    def verify(self) -> str: ...

    def writer_offset(self) -> int: ...

    def rule_versions(self, rule_id: str, *, limit: int, timeout_s: float) -> tuple[StoredRule, ...]: ...

    def query(self, text: str, parameters: Mapping[str, object], *, limit: int, timeout_s: float) -> GraphAnswer: ...


class Shared(Protocol):
    """Where several machines share profiles, and how it was when it was last spoken to."""

    @property
    def where(self) -> str: ...

    @property
    def state(self) -> SharedState: ...


@dataclass(frozen=True)
class EventLimits:
    """What is asked of a posted event. Its time is seen from now.

    unknown_items, unknown_users: "create", "hold" or "reject" events that name one who is not there.
    burst_per_minute: of one user in one process; 0: any number. max_held: so many may wait.
    """

    max_ahead_s: float = 300
    max_age_days: float = 36_500
    unknown_items: str = "create"
    unknown_users: str = "create"
    burst_per_minute: int = 0
    max_held: int = 100_000


@dataclass(frozen=True, kw_only=True)
class Services:
    """graph: None when no Neo4j is configured. shared: None when each process keeps profiles for itself.

    ledger: None when no answers are kept. eraser: knows every store; None: log and profiles are all there is.
    keys: empty means loopback only, and any caller may do anything.
    """

    recommender: Recommender
    world: World
    log: DurableLog
    graph: Graph | None = None
    shared: Shared | None = None
    ledger: Ledger | None = None
    eraser: Eraser | None = None
    keys: tuple[ApiKey, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    event_limits: EventLimits = field(default_factory=EventLimits)
    backlog_limit: int = 1_000_000
