"""The real graph as columns."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from domain.errors import NothingToTrain
from domain.progress import Silent
from domain.records import Event, UserPut
from domain.snapshot import Snapshot
from graph import export
from graph.server import Connection
from graph.snapshot import take_snapshot
from graph.store import GraphStore
from tests.servers import ask
from tests.world import DECLARATION, ENTITIES, EVENTS, ITEMS, RELATIONS, UNAVAILABLE, USERS, WEIGHTS, world_time


@pytest.fixture
def snapshot(world: GraphStore, tmp_path: Path) -> Snapshot:
    return take_snapshot(world, tmp_path, Silent())


def test_ids_are_sorted_and_carry_their_properties(snapshot: Snapshot) -> None:
    assert snapshot.user_ids.tolist() == sorted(USERS)
    assert snapshot.item_ids.tolist() == sorted(ITEMS)
    assert snapshot.entity_ids.tolist() == sorted(ENTITIES)
    assert snapshot.item_names.tolist() == [ITEMS[item][0] for item in sorted(ITEMS)]
    assert snapshot.item_kinds.tolist() == ["film"] * 12
    assert snapshot.item_available.tolist() == [item not in UNAVAILABLE for item in sorted(ITEMS)]
    assert snapshot.item_created_at.tolist() == [-1 if item == "blank" else world_time(0) for item in sorted(ITEMS)]
    assert snapshot.entity_names.tolist() == [ENTITIES[entity] for entity in sorted(ENTITIES)]
    labels = [DECLARATION.entity_types[code].label for code in snapshot.entity_types]
    assert labels == [entity.partition(":")[0] for entity in sorted(ENTITIES)]
    assert snapshot.user_properties["country"].tolist() == [USERS[user] for user in sorted(USERS)]
    assert snapshot.item_properties["year"].tolist() == [ITEMS[item][1] for item in sorted(ITEMS)]
    assert snapshot.item_properties["tags"][snapshot.item_row["pulp"]] == ["cult", "90s"]


def test_interactions_are_the_events_by_user_time_and_item(snapshot: Snapshot) -> None:
    events = snapshot.interactions
    found = [
        (
            str(snapshot.user_ids[user]),
            at,
            str(snapshot.item_ids[item]),
            DECLARATION.event_kinds[kind].name,
            None if np.isnan(value) else value,
        )
        for user, item, kind, value, at in zip(
            events.user_rows, events.item_rows, events.kinds, events.values.tolist(), events.at.tolist(), strict=True
        )
    ]
    assert found == sorted(
        ((user, world_time(day), item, kind, value) for user, item, kind, value, day in EVENTS),
        key=lambda event: event[:3],
    )
    assert (events.user_rows.dtype, events.kinds.dtype, events.values.dtype) == (np.int32, np.int16, np.float32)


def test_relations_are_the_declared_types_in_their_order_then_follows_and_prefers(snapshot: Snapshot) -> None:
    order = [kind.type for kind in DECLARATION.relation_types] + ["FOLLOWS", "PREFERS"]
    assert [relation.type for relation in snapshot.relations] == order
    ids = {"user": snapshot.user_ids, "item": snapshot.item_ids, "entity": snapshot.entity_ids}
    for relation in snapshot.relations:
        heads, tails = ids[relation.head_kind][relation.heads], ids[relation.tail_kind][relation.tails]
        pairs = list(zip(heads.tolist(), tails.tolist(), strict=True))
        assert pairs == sorted(RELATIONS[relation.type])
        weights = dict(zip(RELATIONS[relation.type], WEIGHTS.get(relation.type, ()), strict=False))
        assert relation.weights.tolist() == [weights.get(pair, 1.0) for pair in pairs]


def test_a_declared_type_without_relations_keeps_its_place(
    world: GraphStore, connection: Connection, tmp_path: Path
) -> None:
    ask(connection, "MATCH ()-[r:SEQUEL_OF|FOLLOWS]->() DELETE r")
    snapshot = take_snapshot(world, tmp_path, Silent())
    assert [relation.type for relation in snapshot.relations][3] == "SEQUEL_OF"
    assert len(snapshot.relations[3].heads) == 0
    assert [relation.type for relation in snapshot.relations][5:] == ["PREFERS"]


def test_what_is_not_declared_stays_outside(world: GraphStore, connection: Connection, tmp_path: Path) -> None:
    before = take_snapshot(world, tmp_path / "a", Silent())
    ask(
        connection,
        "MATCH (u:User {id: 'ann'}), (i:Item {id: 'pulp'}) CREATE (u)-[:INTERACTED {event_id: 'x', kind: 'lick', "
        "at: datetime()}]->(i), (i)-[:SHOT_IN]->(:Entity:Country {id: 'Country:us'}) SET i.embedding = [1.0]",
    )
    after = take_snapshot(world, tmp_path / "b", Silent())
    assert after.version == before.version
    assert after.entity_ids.tolist() == before.entity_ids.tolist()


def test_small_pages_give_the_same_snapshot(
    world: GraphStore, snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 4)
    monkeypatch.setattr(export, "EVENTS_PER_PAGE", 3)
    monkeypatch.setattr(export, "HEADS_PER_PAGE", 2)
    assert take_snapshot(world, tmp_path / "other", Silent()).version == snapshot.version


def test_an_unchanged_graph_is_read_from_the_disk(
    world: GraphStore, snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_again(*_: object) -> Snapshot:
        raise AssertionError("the graph was read although nothing changed")

    monkeypatch.setattr("graph.snapshot.export", read_again)
    again = take_snapshot(world, tmp_path, Silent())
    assert (again.version, again.log_offset) == (snapshot.version, snapshot.log_offset)
    assert again.interactions.at.tolist() == snapshot.interactions.at.tolist()


def test_a_changed_graph_is_read_again_and_an_equal_one_has_the_old_version(
    world: GraphStore, connection: Connection, snapshot: Snapshot, tmp_path: Path
) -> None:
    versions = [snapshot.version]
    for name in ("Heat!", "Heat?", "Heat"):
        ask(connection, f"MATCH (i:Item {{id: 'heat'}}) SET i.name = '{name}'")
        changed = take_snapshot(world, tmp_path, Silent())
        assert changed.item_names[changed.item_row["heat"]] == name
        versions.append(changed.version)
    assert versions[0] == versions[3]
    assert len(set(versions)) == 3
    assert len(list(tmp_path.glob("snapshot-*.npz"))) == 2  # the newest, and one older


def test_a_damaged_cache_is_read_anew(world: GraphStore, snapshot: Snapshot, tmp_path: Path) -> None:
    (file,) = tmp_path.glob("snapshot-*.npz")
    file.write_bytes(file.read_bytes()[:1000])
    assert take_snapshot(world, tmp_path, Silent()).version == snapshot.version
    (tmp_path / "snapshot.json").write_text("{")
    assert take_snapshot(world, tmp_path, Silent()).version == snapshot.version


def test_the_offset_is_the_writers(world: GraphStore, snapshot: Snapshot, tmp_path: Path) -> None:
    assert snapshot.log_offset == 0
    event = Event(event_id="new", user_id="hal", item_id="heat", kind="view", at=world_time(40))
    world.apply([(17, event)])
    later = take_snapshot(world, tmp_path, Silent())
    assert later.log_offset == 17
    assert len(later.interactions) == len(EVENTS) + 1


def test_a_snapshot_holds_what_is_up_to_its_offset_and_nothing_after_while_the_writer_writes(
    world: GraphStore, tmp_path: Path
) -> None:
    done = threading.Event()

    def write() -> None:
        offset = 0
        while not done.is_set():
            offset += 1
            event = Event(event_id=f"new{offset}", user_id="ann", item_id="alien", kind="view", at=world_time(offset))
            world.apply([(offset, event)])

    writer = threading.Thread(target=write)
    writer.start()
    offsets: set[int] = set()
    give_up_at = time.monotonic() + 120
    try:
        while len(offsets) < 3 and time.monotonic() < give_up_at:
            taken = take_snapshot(world, tmp_path / str(len(offsets)), Silent())
            assert len(taken.interactions) == len(EVENTS) + taken.log_offset
            offsets.add(taken.log_offset)
    finally:
        done.set()
        writer.join()
    assert len(offsets) == 3  # so it did write meanwhile


def test_what_people_did_who_opted_out_is_in_no_snapshot(world: GraphStore, tmp_path: Path) -> None:
    before = take_snapshot(world, tmp_path, Silent())
    assert "opt_out" not in before.user_properties
    world.apply([(1, UserPut(user_id="ann", properties={"country": "NL", "opt_out": True}))])
    found = take_snapshot(world, tmp_path, Silent())
    row = found.user_row["ann"]
    assert found.user_properties["opt_out"][row] is True
    assert row not in found.interactions.user_rows
    assert len(found.interactions) == len(EVENTS) - len([one for one in EVENTS if one[0] == "ann"])


def test_an_undeclared_graph_has_no_snapshot(store: GraphStore, tmp_path: Path) -> None:
    with pytest.raises(NothingToTrain, match="load a data set"):
        take_snapshot(store, tmp_path, Silent())
