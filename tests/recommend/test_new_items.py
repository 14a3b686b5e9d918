"""Rows appended to trained arrays: the same as stacking them, without touching what was given out."""

import numpy as np

from ingest.log import Log
from recommend.new_items import LEAST_ROOM, Appended, composed
from recommend.world import World
from tests.recommend.small_model import small_artifact
from tests.recommend.test_recommend_world import append, event

BASE = np.arange(6, dtype=np.float32).reshape(3, 2)


def rows(count: int, start: int = 0) -> np.ndarray:
    return np.full((count, 2), np.arange(start, start + count)[:, None], np.float32)


def test_appended_rows_are_as_stacked_however_many_come() -> None:
    appended, given = Appended(), []
    for count in (1, 2, 2, LEAST_ROOM + 5, 3, 2 * LEAST_ROOM):
        given.append((count, appended.to(BASE, rows(count))))
    for count, found in given:
        assert np.array_equal(found, np.vstack([BASE, rows(count)])), count


def test_what_was_given_out_stays_when_a_row_changes() -> None:
    appended = Appended()
    before = appended.to(BASE, rows(2))
    after = appended.to(BASE, rows(2, start=7))
    assert np.array_equal(before, np.vstack([BASE, rows(2)]))
    assert np.array_equal(after, np.vstack([BASE, rows(2, start=7)]))


def test_one_more_row_copies_nothing_that_was_there() -> None:
    appended = Appended()
    assert np.shares_memory(appended.to(BASE, rows(1)), appended.to(BASE, rows(2)))


def test_an_entity_or_a_user_makes_no_new_scorer(log: Log) -> None:
    world = World(log, artifact=small_artifact())
    append(log, event("ann", "unheard"))
    world.catch_up()
    grown = world.view().scorer
    append(log, event("ann", "alien", number=2))
    world.catch_up()
    assert world.view().scorer is grown


def test_each_block_of_dimensions_is_composed_with_its_own_scalars() -> None:
    weights = small_artifact().weights
    columns, number = np.array([0, 1]), len(weights.feature_entities)
    scalars, messages = np.random.default_rng(0).random((2, max(number, 20), 2), dtype=np.float32)
    apart = [composed(weights, columns, scalars[:, [block]], messages[:, [block]]) for block in (0, 1)]
    np.testing.assert_allclose(composed(weights, columns, scalars, messages), np.concatenate(apart), rtol=1e-6)
