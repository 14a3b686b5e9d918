"""`clew export` and `clew restore`: a log goes into a file and comes out the same; nobody who was erased comes back."""

import shutil
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clew.backup import export_log, restore_log
from clew.erasing import expel_erased
from clew.settings import Settings
from clew.wiring import Wired, open_log, wire
from clew.writer import drain, drain_once
from domain.errors import GraphUnavailable, InvalidRequest, InvalidSource
from domain.progress import Silent
from domain.records import ItemPut, Record, UserMerged, UserPut
from graph.store import GraphStore
from ingest.kafka_address import KafkaAddress
from ingest.log_contract import DurableLog
from recommend.erasure import Eraser
from tests.clew.test_erasure import PERSON, VISITOR, dataset, files_with, settings
from tests.recommend.test_recommend_world import event

__all__ = ["settings"]
RECORDS: tuple[Record, ...] = (
    ItemPut(
        item_id="alien", name="Alien", item_kind="film", available=True, created_at=None, properties={}, relations=()
    ),
    event(PERSON, "alien"),
    event(VISITOR, "blade"),
    UserMerged(user_id=PERSON, from_id=VISITOR),
    event("bob", "alien"),
    UserPut(user_id="bob", properties={}, follows=("ann", PERSON)),
)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def kept(home: Settings, tmp_path: Path) -> Path:
    """A backup of a log, from before anybody was erased."""
    with open_log(home) as log:
        log.append(RECORDS)
        assert export_log(log, tmp_path / "log.jsonl", print) == 6
    return tmp_path / "log.jsonl"


@pytest.fixture
def wired(settings: Settings) -> Iterator[Wired]:
    with wire(settings, Silent()) as made:
        made.log.append(RECORDS)
        yield made


def records_of(log: DurableLog) -> list[Record]:
    return [record for _, record in log.read(0)]


def erase(wired: Wired) -> None:
    """The person, from everything, and the notice of it: as if a minute had gone by."""
    eraser = wired.services.eraser
    assert isinstance(eraser, Eraser)
    replace(eraser, wait_s=0).erase(PERSON)
    drain_once(wired.log, wired.graph.store())
    wired.log.forget_erasures(wired.log.last_offset())


def test_a_log_comes_out_of_the_file_as_it_went_in(kept: Path, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other")
    with open_log(other) as log:
        assert restore_log(other, log, kept, print) == {"accepted": 6}
        assert records_of(log) == list(RECORDS)
        assert log.append([RECORDS[1]])[0].code == "duplicated"


def test_a_log_moves_from_sqlite_to_kafka(kept: Path, kafka: str, tmp_path: Path) -> None:
    pytest.importorskip("confluent_kafka")
    from ingest.kafka_log import KafkaLog

    address = KafkaAddress(kafka, f"moved-{uuid.uuid4().hex[:8]}")
    with KafkaLog(address, tmp_path / "index") as log:
        assert restore_log(Settings(home=tmp_path / "other"), log, kept, print) == {"accepted": 6}
        assert records_of(log) == list(RECORDS)


def test_an_erasure_in_the_file_counts_as_it_did(home: Settings, kept: Path, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other")
    with open_log(home) as log:
        log.erase_user("bob")
        export_log(log, kept, print)
    with open_log(other) as log:
        restore_log(other, log, kept, print)
        assert log.is_erased("bob")
        assert log.append([event("bob", "alien")])[0].code == "erased_user"


def test_whom_this_home_erased_since_stays_out(settings: Settings, wired: Wired, tmp_path: Path) -> None:
    export_log(wired.log, tmp_path / "log.jsonl", print)
    erase(wired)
    fresh = settings.model_copy(update={"events": "sqlite"})
    shutil.rmtree(settings.home / "log")
    with open_log(fresh) as log:
        told = restore_log(fresh, log, tmp_path / "log.jsonl", print)
        assert told == {"accepted": 3, "erased_user": 3}  # theirs, the merge, and bob's, who follows them
        assert log.is_erased(PERSON)
    assert files_with(settings.home, PERSON) <= {"log/clew.db", "log/clew.db-wal"}  # the new notice, for a minute


def test_a_log_file_that_is_put_back_forgets_them_again_at_the_next_start(
    settings: Settings, wired: Wired, tmp_path: Path
) -> None:
    export_log(wired.log, tmp_path / "log.jsonl", print)
    erase(wired)
    older = tmp_path / "older"
    with open_log(settings.model_copy(update={"home": older})) as log:
        restore_log(settings.model_copy(update={"home": older}), log, tmp_path / "log.jsonl", print)
        assert not log.is_erased(PERSON)
    shutil.rmtree(settings.home / "log")
    shutil.copytree(older / "log", settings.home / "log")
    with wire(settings, Silent()) as again:
        assert again.log.is_erased(PERSON)
        assert again.services.world.view().user(PERSON) is None
        drain_once(again.log, again.graph.store())
        again.log.forget_erasures(again.log.last_offset())
    assert files_with(settings.home, PERSON, VISITOR) == set()


def test_a_graph_that_is_put_back_loses_them_before_anything_is_made_of_it(settings: Settings, wired: Wired) -> None:
    erase(wired)
    store = wired.graph.store()
    store.load(dataset())  # as it was before
    assert count(store) == 1
    shutil.rmtree(settings.models_dir)
    with wire(settings, Silent()) as again:  # before a writer has seen it
        assert again.services.world.view().user("c2") is not None
        assert again.services.world.view().user(PERSON) is None
    stop = threading.Event()
    stop_after = lambda _: stop.set()  # noqa: E731 one turn
    drain(wired.log, wired.graph, stop, holder="another", drained=stop_after)
    assert count(store) == 0


def test_a_graph_is_looked_through_for_the_erased_only_where_somebody_was(home: Settings) -> None:
    with open_log(home) as log, GraphStore("bolt://127.0.0.1:1", "neo4j", "no Neo4j is here") as store:
        assert expel_erased(log, store, None) == 0
        log.erase_user(PERSON)
        with pytest.raises(GraphUnavailable):
            expel_erased(log, store, None)


def count(store: GraphStore) -> object:
    return store.rows("read/person_count", {"ids": [PERSON]})[0]["people"]


def test_a_file_goes_into_an_empty_log_only(home: Settings, kept: Path) -> None:
    with open_log(home) as log, pytest.raises(InvalidRequest, match="has records"):
        restore_log(home, log, kept, print)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"", "no file of `clew export`"),
        (b'{"user_id": "ann"}\n', "no file of `clew export`"),
        (b'{"clew_log": 2}\n', "later version"),
        (b'{"clew_log": 1}\n{"record": "event"}\n', "line 2 of .* is no record"),
        (b'{"clew_log": 1}\n\xff\n', "line 2 of .* is no record"),
    ],
)
def test_a_file_that_is_none_is_named_and_nothing_is_written(tmp_path: Path, text: bytes, match: str) -> None:
    file, home = tmp_path / "log.jsonl", Settings(home=tmp_path / "home")
    file.write_bytes(text)
    with open_log(home) as log:
        with pytest.raises(InvalidSource, match=match):
            restore_log(home, log, file, print)
        assert log.last_offset() == 0
