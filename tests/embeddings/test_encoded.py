"""Copies of an encoder side by side: the mean of their scores."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.encoded import Encoded, side_by_side

ITEMS, DIM = 6, 3
HISTORIES = sp.csr_array(np.array([[1, 0, 1, 0, 0, 1], [0, 0.5, 0, 0, 0, 0]], np.float32))


def encoded(seed: int, target_length: float) -> Encoded:
    rng = np.random.default_rng(seed)

    def rows(count: int) -> np.ndarray:
        return rng.standard_normal((count, DIM), dtype=np.float32)

    targets = rows(ITEMS)
    if target_length:
        targets *= target_length / np.linalg.norm(targets, axis=1, keepdims=True)
    scalars = rng.random((2, 2, 1)).astype(np.float32)
    bias, degrees = np.full(ITEMS, seed, np.float32), np.ones(4, np.float32)
    return Encoded(rows(ITEMS), targets, rows(2), rows(2), *scalars, bias, degrees, float(seed), target_length)


def scores(one: Encoded) -> np.ndarray:
    return one.users(HISTORIES) @ one.targets.T


def test_inner_products_are_the_mean() -> None:
    copies = [encoded(seed, 0.0) for seed in (1, 2, 6)]
    both = side_by_side(copies)
    np.testing.assert_allclose(scores(both), np.mean([scores(copy) for copy in copies], axis=0), rtol=1e-5)
    assert both.bias.tolist() == [3.0] * ITEMS
    assert both.loss == pytest.approx(3.0)


def test_cosines_are_the_mean_weighted_by_the_length_of_each_users_vector() -> None:
    copies = [encoded(seed, 5.0) for seed in (1, 2)]
    lengths = [np.linalg.norm(HISTORIES @ copy.context, axis=1, keepdims=True) for copy in copies]
    whole = np.sqrt(lengths[0] ** 2 + lengths[1] ** 2)
    expected = sum(length * scores(copy) for length, copy in zip(lengths, copies, strict=True)) / (whole * np.sqrt(2))
    both = side_by_side(copies)
    np.testing.assert_allclose(scores(both), expected, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(both.targets, axis=1), 5.0, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(both.users(HISTORIES), axis=1), 1.0, rtol=1e-6)
