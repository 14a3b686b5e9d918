"""The writer: what the log holds is in Neo4j, once, also when Neo4j was away or the writer was stopped half-way."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clew import writer
from clew.writer import Turns, drain, drain_once
from domain.errors import BatchTooLarge, GraphUnavailable, WriterReplaced
from domain.records import Event, ItemPut, Record
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
    thread = threading.Thread(target=drain, args=(log, graph, stop), kwargs={"holder": "here"})
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


def bad_item(number: int) -> ItemPut:
    """What no check of the API lets through: Neo4j has no property without a name."""
    return ItemPut(
        item_id=f"bad{number}",
        name="Bad",
        item_kind="film",
        available=True,
        created_at=None,
        properties={"": 1},
        relations=(),
    )


def test_a_record_that_neo4j_refuses_is_put_aside_and_the_rest_of_its_batch_is_written(
    log: Log, store: GraphStore
) -> None:
    store.install_schema(DECLARATION)
    records: list[Record] = [event(number) for number in range(40)]
    records[7], records[23] = bad_item(7), bad_item(23)
    log.append(records)
    assert drain_once(log, store) == 40
    assert (store.counts()["events"], store.writer_offset()) == (38, 40)
    letters = log.dead()
    assert [(letter.code, letter.payload["item_id"]) for letter in letters] == [  # type: ignore[index]
        ("record_refused", "bad23"),
        ("record_refused", "bad7"),
    ]
    assert "not a valid token name" in letters[0].message
    assert drain_once(log, store) == 0


def test_the_last_record_may_be_the_refused_one(log: Log, store: GraphStore) -> None:
    log.append([event(1), bad_item(1)])
    assert drain_once(log, store) == 2
    assert (store.counts()["events"], store.writer_offset(), len(log.dead())) == (1, 2, 1)


def test_a_batch_that_is_too_large_is_written_in_parts(
    log: Log, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real server's limit would take a gigabyte of records: here a store with the limit of two."""
    store.install_schema(DECLARATION)
    apply = store.apply

    def limited(records: list[tuple[int, Record]], **how: int | None) -> int:
        if len(records) > 2:
            raise BatchTooLarge("too large")
        return apply(records, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "apply", limited)
    log.append([event(number) for number in range(9)])
    assert drain_once(log, store) == 9
    assert (store.counts()["events"], log.dead()) == (9, [])


def test_a_second_writer_stands_by_and_takes_over_when_the_first_gives_its_turn_back(
    log: Log, store: GraphStore
) -> None:
    first, second = Turns(log, "a"), Turns(log, "b")
    assert first.mine(store)
    assert not second.mine(store)
    assert first.mine(store)
    first.leave(Here(store))
    assert second.mine(store)


def test_a_writer_that_does_not_move_is_replaced_and_then_writes_nothing(
    log: Log, store: GraphStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.install_schema(DECLARATION)
    monkeypatch.setattr(writer, "STALLED_S", 0.1)
    first, second = Turns(log, "a"), Turns(log, "b")
    log.append([event(1)])
    assert first.mine(store)
    drain_once(log, store, fence=first.fence)
    assert not second.mine(store)
    time.sleep(0.2)
    assert not second.mine(store)  # nothing waits to be written
    log.append([event(2)])
    assert second.mine(store)
    with pytest.raises(WriterReplaced):
        drain_once(log, store, fence=first.fence)
    assert store.counts()["events"] == 1
    assert drain_once(log, store, fence=second.fence) == 1
    assert not Turns(log, "a").mine(store)


def test_a_writer_that_moves_keeps_its_turn(log: Log, store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.install_schema(DECLARATION)
    monkeypatch.setattr(writer, "STALLED_S", 0.1)
    first, second = Turns(log, "a"), Turns(log, "b")
    assert first.mine(store)
    for number in range(3):
        log.append([event(2 * number), event(2 * number + 1)])
        drain_once(log, store, fence=first.fence)
        log.append([event(100 + number)])
        assert not second.mine(store)
        time.sleep(0.2)


@pytest.mark.parametrize("kept", [0, 3])
def test_a_log_that_was_begun_anew_or_restored_is_written_from_its_start(
    store: GraphStore, tmp_path: Path, kept: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Its new records have offsets that the graph has passed already: they must not be taken for written."""
    store.install_schema(DECLARATION)
    with Log(tmp_path / "old.db") as old:
        old.append([event(number) for number in range(10)])
        drain_once(old, store)
    with Log(tmp_path / "new.db") as new:
        new.append([event(number) for number in range(kept)])
        new.append([event(20 + number) for number in range(10 - kept)])  # as long as the old one
        turns = Turns(new, "a")
        assert turns.mine(store)
        drain_once(new, store, fence=turns.fence)
    assert store.counts()["events"] == 20 - kept
    assert ["written again" in record.message for record in caplog.records] == [True]


def test_a_log_exchanged_under_a_running_writer_is_noticed(store: GraphStore, tmp_path: Path) -> None:
    store.install_schema(DECLARATION)
    with Log(tmp_path / "log.db") as log:
        log.append([event(number) for number in range(5)])
        turns = Turns(log, "a")
        assert turns.mine(store)
        drain_once(log, store, fence=turns.fence)
        with Log(tmp_path / "other.db") as other:
            other.append([event(50)])
            turns._log = other
            assert turns.mine(store)
            assert drain_once(other, store, fence=turns.fence) == 1
    assert store.counts()["events"] == 6


def test_a_forgotten_erasure_at_the_writers_place_is_no_reason_to_write_all_again(
    log: Log, store: GraphStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.install_schema(DECLARATION)
    log.append([event(1)])
    offset = log.erase_user("ann")
    assert Turns(log, "here").mine(store)
    drain_once(log, store)
    log.forget_erasures(offset)
    assert Turns(log, "here").mine(store)
    assert store.writer_offset() == offset
    assert not [record for record in caplog.records if "written again" in record.message]


def test_a_log_that_skipped_ahead_leaves_no_lag_and_is_not_written_again(
    log: Log, store: GraphStore, caplog: pytest.LogCaptureFixture
) -> None:
    log.append([event(1)])
    log.skip_to(50)
    assert drain_once(log, store) == 1
    assert store.writer_offset() == log.last_offset() == 50
    log.append([event(2)])
    turns = Turns(log, "here")
    assert turns.mine(store)
    assert drain_once(log, store, fence=turns.fence) == 1
    assert (store.counts()["events"], store.writer_offset()) == (2, 51)
    assert not [record for record in caplog.records if "written again" in record.message]
