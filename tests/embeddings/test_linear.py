"""The linear model against its definition."""

import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.features import Features, item_features
from embeddings.linear import dense_prior, prior_weights, prior_weights_of_rows, residual, residual_of_rows
from tests.embeddings.checkerboard import checkerboard

RIDGE = 3.0


@pytest.fixture
def features() -> Features:
    """12 items; two relations: 4 and 3 entities."""
    rng = np.random.default_rng(3)
    first = np.eye(4)[rng.integers(0, 4, 12)]
    second = (rng.random((12, 3)) < 0.5).astype(float)
    matrix = sp.csr_array(np.hstack([first, second]).astype(np.float32))
    counts = np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1)
    idf = np.log1p(12 / counts).astype(np.float32)
    return Features(matrix, np.arange(7, dtype=np.int32), np.array([0] * 4 + [1] * 3, np.int16), idf)


@pytest.fixture
def rows() -> sp.csr_array:
    """9 users, 12 items."""
    rng = np.random.default_rng(4)
    return sp.csr_array((rng.random((9, 12)) < 0.4) * rng.random((9, 12)).astype(np.float32))


def test_the_prior_is_the_weighted_sum_of_cosines(features: Features) -> None:
    theta = np.array([0.5, 2.0], np.float32)
    dense = np.asarray(features.matrix.toarray(), np.float64) * np.sqrt(features.idf)
    expected = np.zeros((12, 12))
    for relation, weight in enumerate(theta):
        part = dense[:, features.relations == relation]
        length = np.linalg.norm(part, axis=1)
        cosine = (part @ part.T) / np.where(length > 0, length, 1)[:, None] / np.where(length > 0, length, 1)
        expected += weight * cosine
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(dense_prior(features.scaled(theta)), expected, atol=1e-6)


def test_theta_is_the_non_negative_least_squares_solution(rows: sp.csr_array, features: Features) -> None:
    gram = (rows.T @ rows).toarray().astype(np.float64)
    theta = prior_weights(gram, features, 2).astype(np.float64)
    dense = rows.toarray().astype(np.float64)

    def loss(weights: np.ndarray) -> float:
        return float(np.square(dense - dense @ dense_prior(features.scaled(weights.astype(np.float32)))).sum())

    assert (theta >= 0).all()
    for step in ([1e-3, 0], [0, 1e-3], [-1e-3, 0], [0, -1e-3]):
        assert loss(np.maximum(theta + step, 0)) >= loss(theta) - 1e-6


def test_the_sketched_theta_is_near_the_exact_one(rows: sp.csr_array, features: Features) -> None:
    gram = (rows.T @ rows).toarray().astype(np.float64)
    exact = prior_weights(gram, features, 2)
    sketched = prior_weights_of_rows(rows, features, 2, rank=4_000)
    np.testing.assert_allclose(sketched, exact, atol=0.1 * exact.max())


def test_without_a_prior_it_is_ease(rows: sp.csr_array) -> None:
    gram = (rows.T @ rows).toarray().astype(np.float64)
    inverse = np.linalg.inv(gram + RIDGE * np.eye(12))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(residual(gram, np.zeros((12, 12)), RIDGE), expected, atol=1e-12)


def test_the_residual_minimises_the_ridge_loss_with_a_zero_diagonal(rows: sp.csr_array, features: Features) -> None:
    dense = rows.toarray().astype(np.float64)
    prior = dense_prior(features.scaled(np.array([0.05, 0.02], np.float32)))
    found = residual(dense.T @ dense, prior, RIDGE)
    for column in range(12):
        others = [row for row in range(12) if row != column]
        left = dense[:, others]
        wanted = dense[:, column] - dense @ prior[:, column]
        expected = np.linalg.solve(left.T @ left + RIDGE * np.eye(11), left.T @ wanted)
        np.testing.assert_allclose(found[others, column], expected, atol=1e-10)
        assert found[column, column] == 0


def test_the_dual_equals_the_primal(rows: sp.csr_array, features: Features) -> None:
    scaled = features.scaled(np.array([0.05, 0.02], np.float32))
    gram = (rows.T @ rows).toarray().astype(np.float64)
    found = residual_of_rows(rows, scaled, RIDGE, rank=9)
    product = found.left @ found.right.T - np.diag(found.diagonal)
    np.testing.assert_allclose(product, residual(gram, dense_prior(scaled), RIDGE), atol=1e-6)


def test_truncation_keeps_the_zero_diagonal_and_most_of_the_prediction(rows: sp.csr_array, features: Features) -> None:
    scaled = features.scaled(np.array([0.05, 0.02], np.float32))
    dense = rows.toarray()
    whole, part = (residual_of_rows(rows, scaled, RIDGE, rank=rank) for rank in (9, 7))
    np.testing.assert_allclose(np.einsum("ir,ir->i", part.left, part.right), part.diagonal, atol=1e-6)
    exact, near = (dense @ each.left @ each.right.T for each in (whole, part))
    assert np.linalg.norm(exact - near) < 0.15 * np.linalg.norm(exact)


def test_sensitive_relations_are_no_features() -> None:
    snapshot = checkerboard()
    found = item_features(snapshot)
    assert set(found.relations.tolist()) == {0, 1}
    assert [str(snapshot.entity_ids[row]) for row in found.entities] == [
        "Colour:even",
        "Colour:odd",
        *(f"Shape:{shape}" for shape in range(5)),
    ]
