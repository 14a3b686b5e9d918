"""The item-item model at size: which items have a residual, of what rank, and scores without a second matrix."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.fit_linear import BLOCK, Linear, _enough, _rank  # pyright: ignore[reportPrivateUsage]
from embeddings.fuse import deviation, moments


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


def test_scores_of_many_users_are_those_of_the_whole_matrix() -> None:
    rng = np.random.default_rng(0)
    users, items, entities = 2 * BLOCK + 3, 7, 4
    matrix = sp.csr_array((rng.random((users, items)) * (rng.random((users, items)) < 0.5)).astype(np.float32))
    prior = sp.csr_array((rng.random((items, entities)) * (rng.random((items, entities)) < 0.6)).astype(np.float32))
    rest = rng.normal(size=(items, items)).astype(np.float32)
    full = (prior @ prior.T).toarray()
    np.fill_diagonal(full, 0)
    found = Linear(np.ones(1, np.float32), prior, rest).scores(matrix)
    np.testing.assert_allclose(found, matrix.toarray() @ (full + rest), atol=1e-5)


def test_the_deviation_of_scaled_scores_needs_no_scaled_scores() -> None:
    rng = np.random.default_rng(0)
    scores, scale = rng.normal(3, 2, (20, 50)).astype(np.float32), rng.random(20).astype(np.float32)
    assert deviation(moments(scores), scale) == pytest.approx((scores * scale[:, None]).std(dtype=np.float64), 1e-6)
