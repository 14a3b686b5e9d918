"""The largest entries of rows, against a sort of all of them."""

import numpy as np
import pytest

from embeddings.largest import keep_largest, largest, largest_of_rows


@pytest.mark.parametrize("size", [1, 40, 700, 9_001])
@pytest.mark.parametrize("count", [1, 10, 150])
def test_the_places_are_those_of_a_stable_sort(size: int, count: int) -> None:
    """Of whole numbers, so that many are equal; a third of them is out of the question."""
    rng = np.random.default_rng(size)
    scores = rng.integers(-50, 50, size).astype(np.float32)
    scores[rng.random(size) < 1 / 3] = -np.inf
    assert largest(scores, count).tolist() == np.argsort(-scores, kind="stable")[:count].tolist()


@pytest.mark.parametrize("size", [5, 1_999, 5_000])
def test_rows_are_taken_one_by_one(size: int) -> None:
    scores = np.random.default_rng(0).random((3, size), np.float32)
    assert largest_of_rows(scores, 10).tolist() == [np.argsort(-row)[:10].tolist() for row in scores]
    assert largest_of_rows(scores[:0], 10).shape == (0, min(10, size))


def test_equal_values_at_the_end_of_a_sparse_row_stay() -> None:
    values = np.array([3, 1, 2, 2, -1, 5, -4, 6], np.float32)
    keep_largest(values, np.array([0, 5, 6, 8]), 2)
    assert values.tolist() == [3, 0, 2, 2, 0, 5, 0, 6]
