"""A person is erased from every store, provably: no byte of them is left in a file that the receipt calls clean."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from api.admission import Admission
from api.metrics import Metrics
from api.posted import Posted
from clew import farewell
from clew.erasing import scrub_home
from clew.farewell import Farewell
from clew.settings import Settings
from clew.wiring import Wired, open_log, wire
from clew.writer import drain, drain_once
from domain.dataset_snapshot import snapshot_of
from domain.erasure import ErasureReceipt
from domain.errors import Gone, UnknownUser
from domain.progress import Silent
from domain.records import RelationEnd, UserMerged, UserPut
from domain.snapshot import object_column, save_snapshot
from domain.tables import Dataset
from embeddings.artifact import load_artifact, switch_current, write_artifact
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.erased_rows import without_erased
from recommend.erasure import Eraser
from recommend.person import export_person
from recommend.request import RecommendRequest
from tests.graph_state import remove_nodes
from tests.recommend.small_model import crowded_dataset, small_artifact, small_weights

PERSON, VISITOR, SECRET = "person-4711", "visitor-4712", "value-4713"


def dataset() -> Dataset:
    """The crowded world, in which c1 is the person."""
    world = crowded_dataset()

    def renamed(column: object) -> object:
        return object_column([PERSON if value == "c1" else value for value in column])  # type: ignore[attr-defined]

    users = replace(world.users, ids=renamed(world.users.ids))  # type: ignore[arg-type]
    return replace(world, users=users, events=replace(world.events, user_ids=renamed(world.events.user_ids)))  # type: ignore[arg-type]


@pytest.fixture
def settings(server: tuple[ServerConfig, Connection], tmp_path: Path) -> Iterator[Settings]:
    """A home with a model, an older one and a cached snapshot, all of which know the person; so does Neo4j."""
    _, connection = server
    remove_nodes(connection)
    made = Settings(
        home=tmp_path / "home",
        neo4j_uri=connection.uri,
        neo4j_username=connection.username,
        neo4j_password=connection.password,  # type: ignore[arg-type]
    )
    snapshot = snapshot_of(dataset())
    for version in ("v1", "v2"):
        manifest = msgspec.structs.replace(small_artifact().manifest, version=version)
        write_artifact(made.models_dir, manifest, small_weights(snapshot), snapshot)
    switch_current(made.models_dir, "v2")
    made.cache_dir.mkdir()
    save_snapshot(snapshot, made.cache_dir / "snapshot-abc.npz")
    rows = [b'{"source":"a","line":%d,"field":"at","reason":"no time of %s"}\n' % (n, who) for n, who in ROWS]
    made.rejected_file.write_bytes(b"".join(rows))
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.load(dataset())
    yield made
    remove_nodes(connection)


ROWS = ((1, b"'person-4711'"), (2, b"'person-47'"))


@pytest.fixture
def wired(settings: Settings) -> Iterator[Wired]:
    with wire(settings, Silent()) as made:
        yield made


def eraser_of(wired: Wired) -> Eraser:
    assert wired.services.eraser is not None
    return replace(wired.services.eraser, wait_s=60)  # a busy machine is slow, and not the less sure


def post_all(wired: Wired) -> None:
    """All that can be said of a person: profile, tastes, follows, events, a visitor, rejected events, an answer."""
    admission = Admission(wired.services, Metrics())
    event = {"user_id": PERSON, "item_id": "alien", "kind": "view", "session_id": SECRET}
    bad = {"user_id": PERSON, "item_id": "alien", "kind": "lick", "note": SECRET}
    nobody = {"user_id": [PERSON], "item_id": SECRET}
    visit = {"user_id": VISITOR, "item_id": "blade", "kind": "cart"}
    admission.post(Posted(msgspec.json.encode([event, bad, nobody, visit]), lines=False))
    wired.log.append(
        [
            UserPut(
                user_id=PERSON,
                properties={"country": SECRET},
                preferences=(RelationEnd(type="PREFERS", entity_id="Genre:scifi", weight=2.0),),
                follows=("ann",),
            ),
            UserPut(user_id="bob", properties={}, follows=("ann", PERSON)),
            UserMerged(user_id=PERSON, from_id=VISITOR),
        ]
    )
    wired.services.recommender.recommend(RecommendRequest(user_id=PERSON, reasons=False))


@pytest.fixture
def written(wired: Wired) -> Iterator[None]:
    """A writer runs beside the test."""
    stop = threading.Event()
    thread = threading.Thread(target=drain, args=(wired.log, wired.graph, stop), kwargs={"holder": "test"})
    thread.start()
    yield
    stop.set()
    thread.join(timeout=20)


def states(receipt: ErasureReceipt) -> dict[str, str]:
    return {one.store: one.state for one in receipt.stores}


def files_with(folder: Path, *words: str) -> set[str]:
    """The files in which some byte sequence is found."""
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and any(word.encode() in file.read_bytes() for word in words)
    }


@pytest.mark.usefixtures("written")
def test_after_an_erasure_no_file_of_the_home_holds_a_byte_of_the_person(
    wired: Wired, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_all(wired)
    wired.services.world.catch_up()
    assert files_with(settings.home, PERSON) >= {
        "models/v1/snapshot.npz",
        "models/v2/snapshot.npz",
        "cache/snapshot-abc.npz",
        "rejected.jsonl",
    }
    receipt = eraser_of(wired).erase(PERSON)
    held = {one.store: one.removed for one in receipt.stores}
    assert held["log"] == 4  # an event, a profile, a merge, and the visitor's event
    assert states(receipt)["graph"] == "gone now"
    assert (held["dead letters"], held["rejected rows"], held["models"], held["snapshots"]) == (1, 1, 4, 2)
    assert states(receipt)["notice in the log"] == "gone by"
    monkeypatch.setattr(farewell, "FOLLOWED_S", 0.0)
    say_farewell = Farewell(settings, wired.log, None)
    for _ in range(2):  # the offset is noted, and forgotten the next time
        say_farewell(wired.graph.writer_offset())
    assert states(eraser_of(wired).receipt(PERSON))["notice in the log"] == "gone now"
    assert files_with(settings.home, PERSON, VISITOR, SECRET) == set()
    assert files_with(settings.home, "person-47") == {"rejected.jsonl"}  # somebody else


@pytest.mark.usefixtures("written")
def test_the_graph_is_gone_when_the_receipt_says_so(wired: Wired, settings: Settings) -> None:
    post_all(wired)
    (before,) = wired.graph.rows("read/person_count", {"ids": [PERSON]})
    assert before["people"] == 1
    assert states(eraser_of(wired).erase(PERSON))["graph"] == "gone now"
    (after,) = wired.graph.rows("read/person_count", {"ids": [PERSON, VISITOR]})
    assert after == {"people": 0, "relations": 0}


def test_without_a_writer_the_receipt_says_by_when_and_later_that_it_is_done(wired: Wired) -> None:
    eraser = replace(eraser_of(wired), wait_s=0.1)
    graph = next(one for one in eraser.erase(PERSON).stores if one.store == "graph")
    assert graph.state == "gone by"
    assert f"record {wired.log.last_offset()} " in str(graph.by)
    drain_once(wired.log, wired.graph.store())
    assert states(eraser.receipt(PERSON))["graph"] == "gone now"


def test_a_visitor_whose_merge_the_graph_has_not_seen_leaves_it_with_the_person(wired: Wired) -> None:
    event = {"user_id": VISITOR, "item_id": "blade", "kind": "cart"}
    Admission(wired.services, Metrics()).post(Posted(msgspec.json.encode([event]), lines=False))
    drain_once(wired.log, wired.graph.store())
    (before,) = wired.graph.rows("read/person_count", {"ids": [VISITOR]})
    assert before == {"people": 1, "relations": 1}
    wired.log.append([UserMerged(user_id=PERSON, from_id=VISITOR)])
    replace(eraser_of(wired), wait_s=0).erase(PERSON)
    drain_once(wired.log, wired.graph.store())
    (after,) = wired.graph.rows("read/person_count", {"ids": [PERSON, VISITOR]})
    assert after == {"people": 0, "relations": 0}
    assert wired.services.world.view().user(VISITOR) is None


def test_an_erased_person_is_not_answered_from_the_model_after_a_restart_or_a_restore(
    wired: Wired, settings: Settings
) -> None:
    world = wired.services.world
    assert world.view().user(PERSON) is not None
    old = load_artifact(settings.models_dir, "v1")
    replace(eraser_of(wired), wait_s=0).erase(PERSON)
    wired.log.forget_erasures(wired.log.last_offset())
    write_artifact(settings.models_dir, msgspec.structs.replace(old.manifest, version="v3"), old.weights, old.snapshot)
    switch_current(settings.models_dir, "v3")  # as if it came from a backup
    with wire(settings, Silent()) as again:
        assert again.services.world.model_version == "v3"
        assert again.services.world.view().user(PERSON) is None
        assert again.services.world.view().user("c2") is not None
        assert again.damaged == ()
    assert files_with(settings.models_dir, PERSON) == set()


def test_what_a_file_still_says_of_an_erased_person_is_not_loaded(wired: Wired) -> None:
    replace(eraser_of(wired), wait_s=0).erase(PERSON)
    rest = without_erased(dataset(), wired.log.erased_among)
    assert len(rest.users.ids) == len(dataset().users.ids) - 1
    assert PERSON not in rest.events.user_ids
    assert len(rest.events) == len(dataset().events) - 2


def test_everything_that_was_posted_is_in_the_export(wired: Wired) -> None:
    post_all(wired)
    drain_once(wired.log, wired.graph.store())
    found = export_person(eraser_of(wired), PERSON)
    assert found.also == (VISITOR,)
    assert found.properties == {"country": SECRET}
    assert [end.entity_id for end in found.preferences] == ["Genre:scifi"]
    assert found.follows == ("ann",)
    assert [(event.item_id, event.kind) for event in found.snapshot] == [("diehard", "purchase"), ("pulp", "purchase")]
    assert [type(record).__name__ for record in found.log] == ["Event", "Event", "UserPut", "UserMerged"]
    assert [letter.code for letter in found.dead_letters] == ["invalid_event"]
    assert found.dead_letters[0].payload["note"] == SECRET
    assert found.graph is not None
    assert found.graph.nodes[PERSON]["country"] == SECRET
    links = [(one.type, one.id) for one in found.graph.relations]
    assert sorted(links) == [
        ("FOLLOWS", "ann"),
        ("INTERACTED", "alien"),
        ("INTERACTED", "blade"),
        ("INTERACTED", "diehard"),
        ("INTERACTED", "pulp"),
        ("PREFERS", "Genre:scifi"),
    ]
    assert found.profile is not None
    assert found.profile.events == 4
    assert b"bob" not in msgspec.json.encode(found)  # who follows a person is somebody else's


def test_an_export_of_nobody_or_of_the_erased_says_so(wired: Wired) -> None:
    eraser = replace(eraser_of(wired), wait_s=0)
    with pytest.raises(UnknownUser):
        export_person(eraser, "never-seen")
    with pytest.raises(UnknownUser):
        eraser.erase("never-seen")
    assert not wired.log.is_erased("never-seen")
    eraser.erase(PERSON)
    with pytest.raises(Gone):
        export_person(eraser, PERSON)


def test_a_home_is_scrubbed_of_whom_another_machine_erased(settings: Settings) -> None:
    with open_log(settings) as log:
        log.erase_user(PERSON)
        scrub_home(settings, log)
    assert files_with(settings.models_dir, PERSON) == files_with(settings.cache_dir, PERSON) == set()
    loaded = load_artifact(settings.models_dir)
    assert len(loaded.snapshot.user_ids) == len(dataset().users.ids)  # rows stay where they were
