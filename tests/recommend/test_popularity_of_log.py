"""How many people took each item while records come; merged and erased people leave at once, with the snapshot."""

import numpy as np
import pytest

from domain.records import Event, UserMerged
from ingest.log import Log
from recommend.popularity import WINDOW_DAYS
from recommend.world import World
from tests.recommend.small_model import small_artifact
from tests.world import world_time


def event(user_id: str, item_id: str, number: int = 0, kind: str = "purchase") -> Event:
    return Event(
        event_id=f"{user_id}-{item_id}-{number}", user_id=user_id, item_id=item_id, kind=kind, at=world_time(31)
    )


def people(world: World, item_id: str) -> tuple[int, int]:
    """Of late, and ever."""
    world.catch_up()
    view = world.view()
    recent, ever = view.popular_counts
    row = view.catalogue.item_rows[item_id]
    return int(recent[row]), int(ever[row])


def test_an_erased_person_leaves_with_all_that_the_snapshot_has_of_them(log: Log, world: World) -> None:
    """eve rated diehard, and nobody else of the snapshot gave it more than cid's 3."""
    before = {item: people(world, item) for item in ("diehard", "kill2", "alien")}
    log.append([event("eve", "alien")])
    assert people(world, "alien") == tuple(count + 1 for count in before["alien"])
    log.erase_user("eve")
    assert people(world, "alien") == before["alien"]
    for item in ("diehard", "kill2"):
        assert people(world, item) == tuple(count - 1 for count in before[item])
    log.erase_user("eve")
    assert people(world, "diehard") == tuple(count - 1 for count in before["diehard"])


def test_after_an_erasure_the_counts_are_those_of_a_world_that_never_knew_the_person(log: Log, world: World) -> None:
    log.append([event("eve", "alien"), event("eve", "fresh"), event("bob", "alien")])
    log.erase_user("eve")
    world.catch_up()
    view, snapshot = world.view(), world.view().snapshot
    events, kinds = snapshot.interactions, view.declaration.event_kinds
    eve = snapshot.user_row["eve"]
    for row, item_id in enumerate(snapshot.item_ids.tolist()):
        takers = {
            int(user)
            for user, item, kind, value in zip(
                events.user_rows, events.item_rows, events.kinds, events.values, strict=True
            )
            if item == row and user != eve and _weight(kinds[kind], float(value)) > 0
        }
        if item_id == "alien":
            takers.add(snapshot.user_row["bob"])
        assert view.popular_counts[1][row] == len(takers), item_id


def _weight(kind: object, value: float) -> float:
    from recommend.popularity import event_weight

    return event_weight(kind, value)  # type: ignore[arg-type]


def test_who_took_it_in_the_snapshot_already_counts_once(log: Log, world: World) -> None:
    before = people(world, "pulp")
    log.append([event("eve", "pulp", number) for number in range(3)])  # eve bought it, within the last days
    assert people(world, "pulp") == before


def test_a_visitor_of_the_snapshot_and_who_they_turned_out_to_be_count_once(log: Log, world: World) -> None:
    before = {item: people(world, item) for item in ("kill", "diehard")}  # ann and eve took kill, eve diehard
    log.append([UserMerged(user_id="ann", from_id="eve")])
    assert people(world, "kill") == tuple(count - 1 for count in before["kill"])
    assert people(world, "diehard") == before["diehard"]
    log.append([event("ann", "diehard")])
    assert people(world, "diehard") == before["diehard"]
    log.erase_user("ann")
    assert people(world, "diehard") == tuple(count - 1 for count in before["diehard"])


def test_a_reader_keeps_the_counts_that_it_took(log: Log, world: World) -> None:
    kept = world.view().popular_counts[0]
    copy = kept.copy()
    log.append([event("hal", "blank"), event("hal", "unheard")])
    assert people(world, "unheard") == (1, 1)
    np.testing.assert_array_equal(kept, copy)


def test_counting_again_after_an_event_does_not_cost_what_the_log_holds(log: Log, world: World) -> None:
    """Only what came since is counted: nothing is left to add up once it was."""
    log.append([event("hal", f"item{number}") for number in range(500)])
    world.catch_up()
    popularity, recent = world.view().popularity, world.view().popular_counts[0]
    assert not popularity._more_recent
    assert world.view().popularity.counts(world.view().catalogue.item_rows, len(recent))[0].base is recent.base


@pytest.fixture
def world(log: Log) -> World:
    assert WINDOW_DAYS == 30  # all of the snapshot's events but the oldest day are of late
    return World(log, artifact=small_artifact())
