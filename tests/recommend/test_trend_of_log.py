"""The trend follows what people newly take up, at every 256th record, and the same in every process."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from domain.dataset_snapshot import snapshot_of
from domain.records import Event, Record, UserPut
from domain.snapshot import Interactions, object_column
from embeddings.artifact import Artifact
from ingest.log import Log
from recommend.popularity import first_takers
from recommend.trend import EVERY, Trend
from recommend.world import World
from tests.recommend.small_model import CROWD, crowded_dataset, small_artifact
from tests.world import world_time


def trending(power: float = 1.0) -> Artifact:
    """The small model, in which the trend of the last ten days counts; the crowd took pulp and diehard on day 20."""
    artifact = small_artifact()
    fixed = msgspec.structs.replace(artifact.manifest.normalisation, trend_power=power, trend_days=10.0)
    return replace(artifact, manifest=msgspec.structs.replace(artifact.manifest, normalisation=fixed))


def takes(user_id: str, item_id: str) -> Event:
    return Event(event_id=f"{user_id} {item_id}", user_id=user_id, item_id=item_id, kind="purchase", at=world_time(40))


def fill(log: Log, up_to: int) -> None:
    """Records that say nothing of items."""
    log.append([UserPut(user_id=f"u{number}", properties={}) for number in range(log.last_offset(), up_to)])


def score(world: World, item_id: str) -> tuple[float, float, float]:
    """entity, behaviour and total of the item for bob."""
    world.catch_up()
    view = world.view()
    assert view.scorer is not None
    row = view.catalogue.item_rows[item_id]
    scores = view.scorer.score(view.scorer.weigh(view.histories[view.snapshot.user_row["bob"]]))
    return float(scores.entity[row]), float(scores.behaviour[row]), float(scores.total[row])


def test_factors_are_the_trend_now_by_the_trend_before() -> None:
    """Before 2/10 and 1/10, whose geometric mean is √.02; now 4/12, 1/10 and, for an item that is new, 4/8."""
    follower = Trend(np.array([1, 0]), np.array([5, 5]), power=1.0)
    middle = (4 / 12 * 1 / 10 * 4 / 8) ** (1 / 3)
    expected = [4 / 12 / middle / 2**0.5, 1 / 10 / middle * 2**0.5, 4 / 8 / middle]
    assert follower.factors(np.array([7, 5, 3])).tolist() == pytest.approx(expected, rel=1e-6)
    assert follower.factors(np.array([5, 5, 0])).tolist() == [1, 1, 1]


def test_first_takers_are_counted_once_and_by_their_first_time() -> None:
    snapshot = small_artifact().snapshot
    columns = {
        name: getattr(snapshot.interactions, name) for name in ("user_rows", "item_rows", "kinds", "values", "at")
    }
    again = {name: np.concatenate([column, column]) for name, column in columns.items()}  # everybody, a month later
    again["at"][len(snapshot.interactions) :] += 30 * 86_400_000
    snapshot = replace(snapshot, interactions=Interactions(**again))
    events = snapshot.interactions
    new, ever = first_takers(snapshot, 35.0)
    newest, takers = events.at.max(), dict[tuple[int, int], int]()
    for user, item, kind, value, at in zip(
        events.user_rows, events.item_rows, events.kinds, events.values, events.at, strict=True
    ):
        declared = snapshot.declaration.event_kinds[kind]
        liked = not declared.steps or any(value >= least and factor > 0 for least, factor in declared.steps)
        if declared.weight > 0 and liked:
            takers[user, item] = min(at, takers.get((user, item), at))
    for row in range(len(snapshot.item_ids)):
        times = [at for (_, item), at in takers.items() if item == row]
        assert ever[row] == len(times)
        assert new[row] == sum(at > newest - 35 * 86_400_000 for at in times)
    assert 0 < new.sum() < ever.sum()


def test_a_score_moves_with_the_trend_at_the_256th_record_and_not_before(log: Log) -> None:
    world = World(log, artifact=trending())
    before = score(world, "kill")
    assert before[0] > 0
    log.append([takes(f"n{number}", "kill") for number in range(20)])
    fill(log, EVERY - 1)
    assert score(world, "kill") == before
    fill(log, EVERY)
    entity, behaviour, total = score(world, "kill")
    follower = Trend.of(trending())
    assert follower is not None
    factor = follower.factors(world.view().popular_counts[1])[world.view().catalogue.item_rows["kill"]]
    assert factor > 1.5
    assert entity == pytest.approx(before[0] * factor, rel=1e-6)
    assert total - entity - behaviour == pytest.approx(before[2] - before[0] - before[1], abs=1e-6)


def test_two_processes_that_read_in_other_pieces_have_the_same_trend(log: Log) -> None:
    early = World(log, artifact=trending())
    for number in range(3 * EVERY // 2):
        record: Record = takes(f"n{number}", ("kill", "heat", "brand new")[number % 3])
        log.append([record])
        early.catch_up()
    late = World(log, artifact=trending())
    for item_id in ("kill", "heat", "brand new", "pulp"):
        assert score(early, item_id) == score(late, item_id)
    assert score(early, "kill") != score(World(log, artifact=small_artifact()), "kill")


def test_what_a_newer_snapshot_brought_is_new_from_the_start(log: Log) -> None:
    data = crowded_dataset()
    events, more = data.events, len(CROWD)
    grown = replace(
        events,
        event_ids=object_column([*events.event_ids, *(f"more{number}" for number in range(more))]),
        user_ids=object_column([*events.user_ids, *CROWD]),
        item_ids=object_column([*events.item_ids, *["kill"] * more]),
        kinds=object_column([*events.kinds, *["purchase"] * more]),
        values=np.append(events.values, [np.nan] * more),
        at=np.append(events.at, [world_time(30)] * more),
        session_ids=None,
    )
    model = trending()
    before = score(World(log, artifact=model), "kill")[0]
    newer = World(log, artifact=model, snapshot=snapshot_of(replace(data, events=grown)))
    assert score(newer, "kill")[0] > 1.2 * before
    assert score(World(log, artifact=model, snapshot=snapshot_of(data)), "kill")[0] == before


def test_a_model_in_which_the_trend_does_not_count_follows_nothing(log: Log) -> None:
    assert Trend.of(small_artifact()) is None
    world = World(log, artifact=trending(power=0.0))
    before = score(world, "kill")
    log.append([takes(f"n{number}", "kill") for number in range(EVERY)])
    assert score(world, "kill") == before
