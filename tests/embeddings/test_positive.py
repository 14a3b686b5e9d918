"""The residual without negative entries: the best one there is, by the conditions for it, and by hand."""

import numpy as np
import scipy.sparse as sp

from embeddings.nearby import residual_nearby
from embeddings.positive import positive_entries, positive_residual

RIDGE, SPARSITY = 2.0, 0.5
NOTHING = np.zeros((12, 12))


def gram() -> np.ndarray:
    taken = (np.random.default_rng(3).random((40, 12)) < 0.3).astype(np.float64)
    return taken.T @ taken


def test_two_items_are_solved_by_hand() -> None:
    own = np.array([[3.0, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(positive_entries(own, np.array([4.5, 2.5]), 0.5), [1.25, 0.25])  # own @ found = 4, 2
    np.testing.assert_allclose(positive_entries(own, np.array([4.5, 0.9]), 0.5), [4 / 3, 0])  # would be below 0
    disliked = np.array([[3.0, -1.0], [-1.0, 3.0]])  # who likes one dislikes the other: it may still help
    np.testing.assert_allclose(positive_entries(disliked, np.array([4.5, 0.4]), 0.5), [1.4875, 0.4625])


def test_no_entry_can_be_changed_for_the_better() -> None:
    taken = gram()
    residual = positive_residual(taken, NOTHING, RIDGE, SPARSITY, neighbours=11).astype(np.float64)
    slope = taken @ residual + RIDGE * residual - taken + SPARSITY
    np.fill_diagonal(slope, 0)
    assert (residual >= 0).all()
    assert not np.diag(residual).any()
    assert np.count_nonzero(residual) > 12
    np.testing.assert_allclose(slope[residual > 0], 0, atol=1e-4)
    assert (slope[residual == 0] > -1e-4).all()


def test_what_the_graph_explains_is_left_out() -> None:
    taken, prior = np.array([[4.0, 2.0], [2.0, 4.0]]), np.array([[0.0, 0.25], [0.25, 0.0]])
    left = 2.0 - 4.0 * 0.25
    residual = positive_residual(taken, prior, RIDGE, SPARSITY, neighbours=1)
    np.testing.assert_allclose(residual, [[0, (left - SPARSITY) / (4 + RIDGE)], [(left - SPARSITY) / (4 + RIDGE), 0]])
    assert not positive_residual(taken, 2 * prior, RIDGE, SPARSITY, neighbours=1).any()


def test_the_sparse_model_is_the_mean_of_both() -> None:
    rows = sp.csr_array((np.random.default_rng(3).random((40, 12)) < 0.3).astype(np.float32))
    none = sp.csr_array((12, 1), dtype=np.float32)
    both = residual_nearby(rows, none, RIDGE, neighbours=11, sparsity=SPARSITY).toarray()
    ridge = residual_nearby(rows, none, RIDGE, neighbours=11).toarray()
    positive = positive_residual(gram(), NOTHING, RIDGE, SPARSITY, neighbours=11)
    np.testing.assert_allclose(both, (ridge + positive) / 2, atol=1e-5)
