"""How often items were taken, of late and ever, by hand."""

import numpy as np
import pytest

from domain.declarations import Declaration, EventKind
from embeddings.popularity import new_takers, recent_takers, takers, trend_of
from embeddings.weighting import DAY_MS, PairWeights, weigh_pairs

KINDS = Declaration(name="kinds", event_kinds=(EventKind(name="buy", verb="bought", description="", repeat="count"),))


def bought(*events: tuple[int, int, int]) -> PairWeights:
    """events: (user, item, day)."""
    users, items, days = (np.array(column) for column in zip(*events, strict=True))
    kinds, values = np.zeros(len(days), np.int16), np.full(len(days), np.nan, np.float32)
    return weigh_pairs(
        KINDS, users.astype(np.int32), items.astype(np.int32), kinds, values, days.astype(np.int64) * DAY_MS
    )


MILK, NEWS, OLD, NOBODYS = range(4)
PAIRS = bought(
    *((user, MILK, day) for user in range(4) for day in (1, 50, 99)),  # the same people, again and again
    *((user, NEWS, 95 + user) for user in range(4)),
    *((user, OLD, 5) for user in range(4)),
    (0, NEWS, 100),
)


def test_who_buys_again_is_a_recent_taker_and_no_new_one() -> None:
    assert takers(PAIRS, 4).tolist() == [4, 4, 4, 0]
    assert recent_takers(PAIRS, 4, 28).tolist() == [4, 4, 0, 0]
    assert new_takers(PAIRS, 4, 28).tolist() == [0, 4, 0, 0]


def test_a_trend_is_of_new_takers() -> None:
    """(0 + 1) / (4 + 5), (4 + 1) / (4 + 5) and 1/9 again, by their geometric mean, which is 5 ** (1/3) / 9."""
    middle = 5 ** (1 / 3)
    assert trend_of(PAIRS, 4, 28).tolist() == pytest.approx([1 / middle, 5 / middle, 1 / middle, 1], rel=1e-6)
