"""The only builder of things: from settings to what the API and the commands work with. No torch, no server needed."""

import logging
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from api.services import EventLimits, Services
from clew.erasing import eraser_of, scrub_home
from clew.settings import Settings
from clew.skip_ahead import go_on_after_seen
from domain.errors import DamagedArtifact, InvalidSettings, LedgerError, LogError, NothingToTrain, ServerError
from domain.graph_answers import GraphAnswer
from domain.progress import Progress
from domain.rules import StoredRule
from domain.snapshot import Snapshot, without_people
from embeddings.artifact import load_current
from graph.home import Connection
from graph.snapshot import take_snapshot
from graph.store import GraphStore
from ingest.log import Log
from ingest.log_contract import DurableLog
from recommend.ledger import Ledger
from recommend.ports import LogReader
from recommend.profiles import Room
from recommend.recommender import Recommender
from recommend.wording import wordings
from recommend.world import World

if TYPE_CHECKING:
    from recommend.shared import SharedProfiles

logger = logging.getLogger("clew.wiring")


class Graph:
    """The graph of the settings, connected when it is first needed, and again when the embedded server came back.

    Raises (any method): GraphUnavailable while it is away.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._store: GraphStore | None = None
        self._connection: Connection | None = None

    def store(self) -> GraphStore:
        connection = connection_of(self._settings)
        with self._lock:
            if self._store is None or connection != self._connection:
                self.close()
                self._store = GraphStore(connection.uri, connection.username, connection.password)
                self._connection = connection
            return self._store

    def rows(
        self, statement: str, parameters: Mapping[str, object], *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        return self.store().rows(statement, parameters, timeout_s=timeout_s)

    def query(self, text: str, parameters: Mapping[str, object], *, limit: int, timeout_s: float) -> GraphAnswer:
        return self.store().query(text, parameters, limit=limit, timeout_s=timeout_s)

    def rule_versions(self, rule_id: str, *, limit: int, timeout_s: float) -> tuple[StoredRule, ...]:
        return self.store().rule_versions(rule_id, limit=limit, timeout_s=timeout_s)

    def verify(self) -> str:
        return self.store().verify()

    def writer_offset(self) -> int:
        return self.store().writer_offset()

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


@dataclass(frozen=True)
class Wired:
    """Everything that serves. damaged: versions of the model that were passed over."""

    services: Services
    graph: Graph
    log: DurableLog
    shared: "SharedProfiles | None"
    damaged: tuple[DamagedArtifact, ...]


def connection_of(settings: Settings) -> Connection:
    """How to reach the graph of the settings. Raises: GraphUnavailable when the embedded one is not running."""
    if settings.neo4j_uri:
        password = settings.neo4j_password.get_secret_value()
        return Connection(uri=settings.neo4j_uri, username=settings.neo4j_username, password=password)
    from graph.server import connection  # what starts a server is needed only here, and not where one is given

    return connection(settings.server_config)


@contextmanager
def open_store(settings: Settings) -> Generator[GraphStore]:
    """A store on the graph of the settings, its version checked. Raises: GraphUnavailable, UnsupportedServer."""
    connection = connection_of(settings)
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.verify()
        yield store


@contextmanager
def wire(settings: Settings, progress: Progress) -> Generator[Wired]:
    """Builds and, at the end, closes. Works without Neo4j and without a model: with less to say."""
    with open_log(settings) as log, open_shared(settings, log) as shared, open_ledger(settings, log) as ledger:
        graph, eraser = Graph(settings), None
        try:
            go_on_after_seen(settings, log, graph)
            scrub_home(settings, log)
            artifact, damaged = load_current(settings.models_dir)
            snapshot = None if artifact else _snapshot(settings, graph, log, progress)
            world = World(
                log,
                snapshot=snapshot,
                artifact=artifact,
                room=_room(settings, shared),
                session_share=settings.session_share,
            )
            eraser = eraser_of(settings, log, world, graph, shared, ledger)
            services = Services(
                recommender=Recommender(
                    world,
                    graph,
                    verify_timeout_s=settings.verify_ms / 1000,
                    ledger=ledger,
                    texts=wordings(settings.texts),
                    browser=settings.neo4j_browser,
                ),
                world=world,
                log=log,
                graph=graph,
                shared=shared,
                ledger=ledger,
                eraser=eraser,
                keys=settings.keys,
                allowed_hosts=settings.hosts,
                event_limits=EventLimits(
                    max_ahead_s=settings.events_max_ahead_s,
                    max_age_days=settings.events_max_age_days,
                    unknown_items=settings.events_unknown_items,
                    unknown_users=settings.events_unknown_users,
                    burst_per_minute=settings.events_burst_per_minute,
                    max_held=settings.dead_letters_max,
                ),
                backlog_limit=settings.backlog_limit,
            )
            yield Wired(services, graph, log, shared, tuple(damaged))
        finally:
            graph.close()
            if eraser is not None:
                eraser.receipts.close()


@contextmanager
def open_shared(settings: Settings, log: LogReader) -> "Generator[SharedProfiles | None]":
    """The profiles that machines share; None: each process keeps its own. Raises: InvalidSettings, without redis."""
    if not settings.profiles:
        yield None
        return
    if not find_spec("redis"):
        raise InvalidSettings("CLEW_PROFILES needs one more package: pip install 'clew[redis]'", field="CLEW_PROFILES")
    from recommend.shared import SharedProfiles  # the package is needed only here

    shared = SharedProfiles(settings.profiles, log.last_offset)
    try:
        shared.look()
        yield shared
    finally:
        shared.close()


@contextmanager
def sharing(settings: Settings, log: DurableLog, stop: threading.Event) -> Generator[None]:
    """Fills Redis from the log beside the block, where CLEW_PROFILES names one; ends with `stop` or the block."""
    with open_shared(settings, log) as shared:
        if shared is None:
            yield
            return
        from clew.sharing import share

        thread = threading.Thread(target=share, args=(log, shared, stop), name="sharing", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=5)


@contextmanager
def open_ledger(settings: Settings, log: DurableLog) -> Generator[Ledger | None]:
    """Where answers are kept; None: nowhere, as CLEW_LEDGER_DAYS=0 wants, or because the file cannot be used."""
    ledger = None
    if settings.ledger_days:
        try:
            max_bytes = settings.ledger_mib * 2**20
            ledger = Ledger(
                settings.ledger_file, days=settings.ledger_days, max_bytes=max_bytes, is_erased=log.is_erased
            )
        except LedgerError as error:
            logger.warning("no answers are kept: %s", error.message)
    try:
        yield ledger
    finally:
        if ledger is not None:
            ledger.close()


def _room(settings: Settings, shared: "SharedProfiles | None") -> Room:
    memory_bytes = settings.profiles_memory_mb * 2**20
    if shared is None:
        return Room(memory_bytes)
    from recommend.shared import SharedShelf

    return Room(memory_bytes, lambda: SharedShelf(shared))


def _snapshot(settings: Settings, graph: Graph, log: DurableLog, progress: Progress) -> Snapshot | None:
    """The graph as columns, without whoever was erased; None while it is away, or nothing was loaded."""
    try:
        taken = take_snapshot(graph.store(), settings.cache_dir, progress)
        gone = log.erased_among(taken.user_ids.tolist())
        return without_people(taken, gone)[0] if gone else taken
    except (ServerError, NothingToTrain) as error:
        logger.info("no snapshot: %s", error.message)
        return None


def open_log(settings: Settings) -> DurableLog:
    """The log that CLEW_EVENTS names. Raises: LogError; InvalidSettings for a topic that cannot be one."""
    address = settings.kafka
    if address is None:
        settings.log_file.parent.mkdir(parents=True, exist_ok=True)
        return Log(settings.log_file, max_dead=settings.dead_letters_max)
    try:
        from ingest.kafka_log import KafkaLog  # an extra, and needed only here
    except ImportError as error:
        raise LogError("a log on Kafka needs two packages more: pip install 'clew[kafka]'") from error
    return KafkaLog(address, settings.kafka_index, max_dead=settings.dead_letters_max)
