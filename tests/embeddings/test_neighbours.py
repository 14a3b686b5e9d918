"""Neighbourhood models against plain loops."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.scorers.neighbours import nearest_items


def plainly(matrix: np.ndarray, correlation: str, shrink: float) -> np.ndarray:
    """Shrunk similarities of all columns, from the definition."""
    centred = matrix - matrix.mean(axis=0) if correlation == "pearson" else matrix
    products = centred.T @ centred
    lengths = np.sqrt(np.diag(products))
    similar = products / (np.outer(lengths, lengths) + shrink)
    np.fill_diagonal(similar, 0)
    return np.maximum(similar, 0)


@pytest.mark.parametrize("correlation", ["cosine", "pearson"])
@pytest.mark.parametrize("shrink", [0.0, 3.0])
def test_similarities_are_those_of_the_definition(correlation: str, shrink: float) -> None:
    matrix = np.random.default_rng(2).integers(0, 3, (20, 7)).astype(np.float32)
    found = nearest_items(sp.csr_array(matrix), 7, shrink, correlation).toarray()
    np.testing.assert_allclose(found, plainly(matrix.astype(np.float64), correlation, shrink), atol=1e-6)


def test_each_item_keeps_its_nearest_only() -> None:
    matrix = np.random.default_rng(3).integers(0, 3, (30, 9)).astype(np.float32)
    found = nearest_items(sp.csr_array(matrix), 3, 1.0).toarray()
    whole = plainly(matrix.astype(np.float64), "cosine", 1.0)
    for item in range(9):
        best = set(np.argsort(-whole[:, item])[:3].tolist())
        assert set(np.flatnonzero(found[:, item]).tolist()) == best


def test_an_item_that_everyone_took_correlates_with_nothing() -> None:
    matrix = np.array([[1, 1], [1, 0], [1, 1]], np.float32)
    assert nearest_items(sp.csr_array(matrix), 2, 0.0, "pearson").nnz == 0
    assert nearest_items(sp.csr_array(matrix), 2, 0.0, "cosine").toarray()[0, 1] == pytest.approx(2 / np.sqrt(3 * 2))
