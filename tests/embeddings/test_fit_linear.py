"""Which items have a residual, and of what rank it is."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.fit_linear import _enough, _rank  # pyright: ignore[reportPrivateUsage]


def test_ten_takers_are_asked_for_where_few_pairs_are_lost() -> None:
    takers = np.array([100, 50, 10, 9, 3, 1])  # 13 of 173 pairs are of items with fewer than ten
    assert _enough(takers, 3) == 10


def test_fewer_takers_are_enough_where_most_items_have_few() -> None:
    takers = np.array([12, 8, 8, 8, 4, 4, 4, 4])  # below eight: 16 of 52 pairs; below four: none
    assert _enough(takers, 3) == 4


def test_where_nobody_took_anything_the_least_does() -> None:
    assert _enough(np.array([1, 1, 2]), 3) == 3


@pytest.mark.parametrize(("users", "items", "rank"), [(2_500, 16_000, 1_024), (8_000, 40_000, 256)])
def test_the_rank_falls_where_users_and_items_are_many(users: int, items: int, rank: int) -> None:
    assert _rank(sp.csr_array((users, items), dtype=np.float32), 1_024) == rank
