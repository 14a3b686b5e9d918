"""Event weights, worked by hand."""

import numpy as np
import pytest

from domain.declarations import Declaration, EventKind
from embeddings.weighting import DAY_MS, PairWeights, size_scale, weigh_pairs

KINDS = Declaration(
    name="kinds",
    event_kinds=(
        EventKind(name="buy", verb="bought", description="", repeat="count"),
        EventKind(name="rate", verb="rated", description="", steps=((5.0, 1.0), (4.0, 0.8))),
        EventKind(name="skip", verb="skipped", description="", weight=-0.2),
        EventKind(name="impression", verb="were shown", description="", weight=0, fades=0.9),
    ),
)
BUY, RATE, SKIP, IMPRESSION = 0, 1, 2, 3


def weigh(events: list[tuple[int, int, int, float, int]], half_life_days: float | None = None) -> PairWeights:
    """events: (user, item, kind, value, day)."""
    users, items, kinds, values, days = (np.array(column) for column in zip(*events, strict=True))
    return weigh_pairs(
        KINDS,
        users.astype(np.int32),
        items.astype(np.int32),
        kinds.astype(np.int16),
        values.astype(np.float32),
        days.astype(np.int64) * DAY_MS,
        half_life_days=half_life_days,
    )


def test_a_count_kind_grows_with_the_logarithm() -> None:
    assert weigh([(0, 0, BUY, np.nan, 1)] * 3).weights.tolist() == [2]  # log2(1 + 3)
    assert weigh([(0, 0, BUY, np.nan, 1)]).weights.tolist() == [1]


def test_impressions_make_no_pair_and_move_no_clock() -> None:
    events = [(0, 0, BUY, np.nan, 1), (0, 0, IMPRESSION, np.nan, 2), (0, 1, IMPRESSION, np.nan, 900)]
    found = weigh(events, half_life_days=1)
    assert (found.item_rows.tolist(), found.weights.tolist(), found.at.tolist()) == ([0], [1], [DAY_MS])
    assert len(weigh(events[1:])) == 0


def test_the_newest_rating_counts_whatever_the_order_of_rows() -> None:
    late_first = weigh([(0, 0, RATE, 4, 9), (0, 0, RATE, 5, 2)])
    assert late_first.weights.tolist() == pytest.approx([0.8])
    assert late_first.at.tolist() == [9 * DAY_MS]


def test_an_item_is_taken_when_the_first_event_says_that_the_user_likes_it() -> None:
    again = [(0, 0, BUY, np.nan, 3), (0, 0, BUY, np.nan, 9), (0, 0, SKIP, np.nan, 1), (0, 0, RATE, 5, 5)]
    found = weigh([*again, (0, 1, RATE, 3, 2), (0, 1, SKIP, np.nan, 4), (1, 0, BUY, np.nan, 2)])
    assert found.taken_at.tolist() == [3 * DAY_MS, 4 * DAY_MS, 2 * DAY_MS]
    assert found.at.tolist() == [9 * DAY_MS, 4 * DAY_MS, 2 * DAY_MS]


def test_below_the_last_step_and_without_a_value_an_item_is_only_seen() -> None:
    assert weigh([(0, 0, RATE, 3, 1), (0, 1, RATE, np.nan, 1)]).weights.tolist() == [0, 0]


def test_kinds_add_up_and_negative_ones_lower() -> None:
    assert weigh([(0, 0, BUY, np.nan, 1), (0, 0, SKIP, np.nan, 1)]).weights.tolist() == pytest.approx([0.8])


def test_a_weight_halves_with_each_half_life_before_the_users_newest_event() -> None:
    pairs = weigh([(0, 0, BUY, np.nan, 10), (0, 1, BUY, np.nan, 4), (1, 0, BUY, np.nan, 1)], half_life_days=3)
    assert pairs.user_rows.tolist() == [0, 0, 1]
    assert pairs.weights.tolist() == pytest.approx([1, 0.25, 1])


def test_no_events_give_no_pairs() -> None:
    empty = np.empty(0, np.int32)
    columns = (empty, empty, empty.astype(np.int16), empty.astype(np.float32), empty.astype(np.int64))
    assert len(weigh_pairs(KINDS, *columns)) == 0


def test_size_scale_makes_a_unit_vector_at_one_half() -> None:
    weights = np.array([3.0, 4.0], np.float32)
    assert size_scale(weights, 0.5) * np.linalg.norm(weights) == pytest.approx(1)
    assert size_scale(np.zeros(2, np.float32), 0.5) == 0
