"""Fits the item-item linear model to a user-item matrix.

R is whole where items are few; a product where they are many and users are few; sparse where both are many.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from embeddings.features import Features, Floats
from embeddings.linear import (
    Doubles,
    LowRank,
    dense_prior,
    prior_weights,
    prior_weights_of_rows,
    residual,
    residual_of_rows,
)
from embeddings.nearby import residual_nearby
from embeddings.positive import SPARSITY, positive_residual
from embeddings.settings import LinearSettings
from embeddings.weighting import PairWeights

OFTEN, RARE = 10, 0.2  # takers that are enough for any item; the share of all pairs that may be left out of R
LEAST_RANK, MOST_OPERATIONS = 256, 5e10  # users x items x rank
SITTING = ((0.35, 60_000.0), (0.25, 600_000.0))  # (share, milliseconds): how closeness in time adds to a pair's weight
BLOCK = 256  # users whose scores are made at once
Rest = Floats | LowRank | sp.csr_array


@dataclass(frozen=True)
class Linear:
    """relation_weights (R,) θ; prior (I, K): F with B0 = F Fᵀ − diag; rest: R (I, I) whole, as a product, or sparse."""

    relation_weights: Floats
    prior: sp.csr_array
    rest: Rest

    def scores(self, matrix: sp.csr_array) -> Floats:
        """X (B0 + R) of X (b, I): (b, I) float32, by blocks of users."""
        diagonal = np.asarray(self.prior.multiply(self.prior).sum(axis=1), np.float32).ravel()
        if isinstance(self.rest, LowRank):
            diagonal = diagonal + self.rest.diagonal
        scores = np.empty((len(matrix.indptr) - 1, len(diagonal)), np.float32)
        for start in range(0, len(scores), BLOCK):
            rows, own = sp.csr_array(matrix[start : start + BLOCK]), scores[start : start + BLOCK]
            self._fill(rows, own)
            users = np.repeat(np.arange(len(own)), np.diff(rows.indptr))
            own[users, rows.indices] -= rows.data * diagonal[rows.indices]
        return scores

    def _fill(self, rows: sp.csr_array, scores: Floats) -> None:
        """Writes the rows' scores, with what the diagonals of F Fᵀ and of a product are still in."""
        if isinstance(self.rest, LowRank):
            np.matmul(rows @ self.rest.left, self.rest.right.T, out=scores)
        elif isinstance(self.rest, sp.csr_array):
            scores[:] = sp.csr_array(rows @ self.rest).toarray()
        else:
            scores[:] = rows @ self.rest
        if self.prior.nnz:
            features = sp.csr_array(rows @ self.prior).toarray()
            scores += (self.prior @ features.T).T  # whole: nearly none of it is 0


@dataclass(frozen=True)
class LinearProblem:
    """Everything that does not depend on λ. gram: XᵀX where items are few; rows: X (U, I'), columns: its items.

    fitted (R,): θ by least squares, before prior_scale. nearby: whether R is sparse, over each item's nearest ones.
    """

    settings: LinearSettings
    features: Features
    fitted: Floats
    gram: Doubles | None
    rows: sp.csr_array
    columns: np.ndarray[tuple[int], np.dtype[np.int64]]
    scale: float
    nearby: bool = False

    def solve(self, ridge: float, *, prior_scale: float | None = None, positive: bool | None = None) -> Linear:
        """The model for λ = ridge · the largest entry of the Gram matrix's diagonal.

        prior_scale, positive: the settings' own when None.
        """
        settings = self.settings
        theta = self.fitted * np.float32(settings.prior_scale if prior_scale is None else prior_scale)
        prior, near = self.features.scaled(theta), settings.neighbours
        sparsity = SPARSITY * self.scale if (settings.positive if positive is None else positive) else None
        if self.gram is not None:
            known = dense_prior(prior)
            rest = residual(self.gram, known, ridge * self.scale).astype(np.float32)
            if sparsity is not None:
                rest += positive_residual(self.gram, known, ridge * self.scale, sparsity, neighbours=near)
                rest /= 2
            return Linear(theta, prior, rest)
        if self.nearby:
            rest = residual_nearby(self.rows, prior, ridge * self.scale, neighbours=near, sparsity=sparsity)
            return Linear(theta, prior, rest)
        own = sp.csr_array(prior[self.columns])
        found = residual_of_rows(self.rows, own, ridge * self.scale, rank=_rank(self.rows, self.settings.rank))
        return Linear(theta, prior, self._spread(found))

    @property
    def is_product(self) -> bool:
        """Whether R is a product of two matrices."""
        return self.gram is None and not self.nearby

    def _spread(self, found: LowRank) -> LowRank:
        """Rows of 0 for the items that have no residual."""
        num_items = len(self.features.matrix.indptr) - 1
        left = np.zeros((num_items, found.left.shape[1]), np.float32)
        right, diagonal = np.zeros_like(left), np.zeros(num_items, np.float32)
        left[self.columns], right[self.columns], diagonal[self.columns] = found.left, found.right, found.diagonal
        return LowRank(left, right, diagonal)


def pose(
    pairs: PairWeights,
    matrix: sp.csr_array,
    features: Features,
    num_relations: int,
    settings: LinearSettings,
) -> LinearProblem:
    """The problem for X = matrix (U, I); pairs are the same weights with their times."""
    num_items = len(features.matrix.indptr) - 1
    size = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    typical = float(np.median(size[size > 0])) if np.any(size > 0) else 1.0
    share = (np.where(size > 0, size, typical) / typical) ** -settings.user_power
    rows = sp.csr_array(sp.diags_array(np.sqrt(share).astype(np.float32)) @ matrix)
    takers = np.bincount(rows.indices, minlength=num_items)
    if num_items <= settings.whole_up_to:
        gram = _sitting_gram(pairs, num_items, share) if settings.session else (rows.T @ rows).toarray().astype(float)
        theta = prior_weights(gram, features, num_relations)
        columns, scale = np.arange(num_items), float(np.diag(gram).max())
        return LinearProblem(settings, features, theta, gram, rows, columns, scale)
    theta = prior_weights_of_rows(rows, features, num_relations)
    if np.count_nonzero(size) > settings.most_users:
        scale = float(np.asarray(rows.multiply(rows).sum(axis=0)).max())
        return LinearProblem(settings, features, theta, None, rows, np.arange(num_items), scale, nearby=True)
    columns = np.flatnonzero(takers >= _enough(takers, settings.least_takers))
    longest = np.sort(np.argsort(-size, kind="stable")[: settings.most_users])
    kept = sp.csr_array(rows[longest][:, columns])
    scale = float(np.asarray(kept.multiply(kept).sum(axis=0)).max())
    return LinearProblem(settings, features, theta, None, kept, columns, scale)


def _enough(takers: np.ndarray[tuple[int], np.dtype[np.int64]], least: int) -> int:
    """How many takers an item needs: the most, up to OFTEN, that leaves out at most RARE of all pairs; else `least`."""
    for enough in range(OFTEN, least, -1):
        if takers[takers < enough].sum() <= RARE * takers.sum():
            return enough
    return least


def _rank(rows: sp.csr_array, most: int) -> int:
    """The rank of R as a product: `most`, or less, down to LEAST_RANK, where that would take too many operations."""
    users, items = np.diff(rows.indptr).size, max(int(rows.shape[1] if rows.shape else 0), 1)
    return min(most, max(LEAST_RANK, int(MOST_OPERATIONS // (max(users, 1) * items))))


def _sitting_gram(pairs: PairWeights, num_items: int, share: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Doubles:
    """(I, I) Σ_u share_u w_ui w_uj κ(Δt): pairs of one sitting count in full, others for what `SITTING` leaves of 1."""
    gram = np.zeros((num_items, num_items))
    base = 1 - sum(part for part, _ in SITTING)
    kept = np.flatnonzero(pairs.weights)
    users, items = pairs.user_rows[kept], pairs.item_rows[kept]
    weights, at = pairs.weights[kept].astype(np.float64), pairs.at[kept]
    bounds = np.searchsorted(users, np.arange(len(share) + 1))
    for user in range(len(share)):
        own = slice(bounds[user], bounds[user + 1])
        apart = np.abs(at[own, None] - at[own])
        kappa = base + sum(part * np.exp(-apart / span) for part, span in SITTING)
        gram[np.ix_(items[own], items[own])] += share[user] * kappa * np.outer(weights[own], weights[own])
    return gram
