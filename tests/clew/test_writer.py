"""The writer: what the log holds is in Neo4j, once, also when Neo4j was away or the writer was stopped half-way."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clew import writer
from clew.writer import drain, drain_once
from domain.errors import GraphUnavailable
from domain.records import Event
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.log import Log
from tests.servers import ask
from tests.world import DECLARATION


def event(number: int) -> Event:
    return Event(event_id=f"n{number}", user_id="ann", item_id=f"film{number % 3}", kind="view", at=1_600_000_000_000)


@pytest.fixture
def store(server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    _, connection = server
    ask(connection, "MATCH (n) DETACH DELETE n")
    with GraphStore(connection.uri, connection.username, connection.password) as made:
        yield made
    ask(connection, "MATCH (n) DETACH DELETE n")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.db") as made:
        yield made


class Here:
    """A graph that is away for a number of asks, and then there."""

    def __init__(self, store: GraphStore, away: int = 0) -> None:
        self._store = store
        self.away = away

    def store(self) -> GraphStore:
        if self.away > 0:
            self.away -= 1
            raise GraphUnavailable("away")
        return self._store


def test_every_record_is_written_once_in_batches(log: Log, store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BATCH", 4)
    store.install_schema(DECLARATION)
    log.append([event(number) for number in range(10)])
    assert drain_once(log, store) == 10
    assert drain_once(log, store) == 0
    assert (store.counts()["events"], store.writer_offset()) == (10, 10)
    log.append([event(3), event(10)])  # one is known
    assert drain_once(log, store) == 1
    assert store.counts()["events"] == 11


def test_a_graph_without_a_declaration_gets_the_common_kinds(log: Log, store: GraphStore) -> None:
    log.append([event(1)])
    assert drain_once(log, store) == 1
    declared = store.declaration()
    assert declared is not None
    assert "view" in declared.event_code


def test_it_waits_for_neo4j_and_goes_on_when_it_is_back(
    log: Log, store: GraphStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.install_schema(DECLARATION)
    stop, graph = threading.Event(), Here(store, away=2)
    thread = threading.Thread(target=drain, args=(log, graph, stop))
    thread.start()
    log.append([event(1)])
    deadline = time.monotonic() + 20
    while store.writer_offset() < 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert graph.away == 0
    assert [record.message for record in caplog.records if "trying again" in record.message] == [
        "not written to Neo4j, trying again: away"
    ]
