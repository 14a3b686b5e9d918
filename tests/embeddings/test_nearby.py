"""The sparse residual against the whole one."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.linear import dense_prior, residual
from embeddings.nearby import residual_nearby

RIDGE = 3.0


@pytest.fixture
def rows() -> sp.csr_array:
    """30 users, 12 items."""
    rng = np.random.default_rng(4)
    return sp.csr_array((rng.random((30, 12)) < 0.4) * rng.random((30, 12)).astype(np.float32))


@pytest.fixture
def prior() -> sp.csr_array:
    rng = np.random.default_rng(5)
    return sp.csr_array((rng.random((12, 4)) < 0.5) * np.float32(0.3))


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_with_all_neighbours_it_is_the_whole_residual(rows: sp.csr_array, prior: sp.csr_array, scale: float) -> None:
    prior = sp.csr_array(prior * np.float32(scale))
    gram = (rows.T @ rows).toarray().astype(np.float64)
    assert (gram > 0).all()
    found = residual_nearby(rows, prior, RIDGE, neighbours=11)
    np.testing.assert_allclose(found.toarray(), residual(gram, dense_prior(prior), RIDGE), atol=1e-5)


def test_each_column_is_ridge_regression_on_the_items_most_like_it(rows: sp.csr_array, prior: sp.csr_array) -> None:
    dense = rows.toarray().astype(np.float64)
    lengths = np.linalg.norm(dense, axis=0)
    cosines = dense.T @ dense / np.outer(lengths, lengths)
    np.fill_diagonal(cosines, -1)
    found = residual_nearby(rows, sp.csr_array(prior * np.float32(0)), RIDGE, neighbours=3).toarray()
    for column in range(12):
        near = np.sort(np.argsort(-cosines[:, column])[:3])
        left = dense[:, near]
        expected = np.linalg.solve(left.T @ left + RIDGE * np.eye(3), left.T @ dense[:, column])
        assert np.flatnonzero(found[:, column]).tolist() == near.tolist()
        np.testing.assert_allclose(found[near, column], expected, atol=1e-5)


def test_an_item_that_nobody_took_has_no_residual(rows: sp.csr_array, prior: sp.csr_array) -> None:
    empty = sp.csr_array(rows.multiply(np.arange(12) != 5))
    found = residual_nearby(empty, sp.csr_array(prior * np.float32(0)), RIDGE, neighbours=3).toarray()
    assert not found[5].any()
    assert not found[:, 5].any()
