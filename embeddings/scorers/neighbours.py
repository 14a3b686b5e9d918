"""Neighbourhood models of items and of users, by cosine or by Pearson correlation, shrunk. NumPy and SciPy only.

similarity = x · y / (‖x‖ ‖y‖ + shrink); for Pearson x and y are centred over all their entries, zeros included. Only
similarities above 0 count, and weights are never below 0: rows that share nothing need not be looked at.
Source: Cremonesi, Koren & Turrin, RecSys 2010, section 4; Ferrari Dacrema et al., TOIS 2021, for the grids.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.progress import Progress
from domain.snapshot import Snapshot, Text
from embeddings.largest import keep_largest
from embeddings.scorers.contract import Floats, ItemItem, Settings, Users, dense, item_parts, training_matrix, width_of

BLOCK = 1_000  # columns of similarities at a time


def fit_item_neighbours(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> ItemItem:  # noqa: ARG001
    """Each item keeps its `neighbours` most similar ones; a score is the sum over the user's items.

    correlation: "cosine" or "pearson".
    """
    matrix = training_matrix(snapshot)
    correlation, shrink = str(settings["correlation"]), float(settings["shrink"])
    with progress.step("Neighbours of items", len(snapshot.item_ids)) as advance:
        nearest = nearest_items(matrix, int(settings["neighbours"]), shrink, correlation, advance)
    return ItemItem(snapshot.item_ids, matrix, nearest)


def nearest_items(
    matrix: sp.csr_array,
    neighbours: int,
    shrink: float,
    correlation: str = "cosine",
    advance: Callable[[int], None] | None = None,
) -> sp.csr_array:
    """(I, I) of the weights (U, I): column j holds the similarities of the items that j keeps."""
    vectors = _Vectors.of(sp.csr_array(matrix.T), correlation, shrink)
    num_items = width_of(matrix)
    parts: list[sp.csr_array] = []
    for start in range(0, num_items, BLOCK):
        rows = np.arange(start, min(start + BLOCK, num_items))
        parts.append(vectors.nearest(rows, neighbours))
        if advance is not None:
            advance(len(rows))
    return sp.csr_array(sp.vstack(parts).T)


@dataclass(frozen=True)
class UserNeighbours:
    """rows (U, I); vectors: the same rows, ready to compare; a score sums what the nearest users took."""

    item_ids: Text
    rows: sp.csr_array
    vectors: "_Vectors"
    neighbours: int

    def score(self, user_rows: Users) -> Floats:
        return dense(self.vectors.nearest(user_rows, self.neighbours) @ self.rows)

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        """By the user's items, which are what makes the neighbours near; "level" is what centring takes off."""
        near = np.sort(self.vectors.nearest(np.array([user_row]), self.neighbours).indices).astype(np.int64)
        amounts = dense(self.rows[near][:, [item_row]]).ravel()
        shares = amounts / self.vectors.denominators(user_row, near)
        own = sp.csr_array(self.rows[[user_row]])
        shared = dense(self.rows[near][:, own.indices])
        parts = item_parts(self.item_ids, own.indices, own.data * (shares @ shared))
        level = -float(shares @ self.vectors.offsets(user_row, near))
        return {**parts, "level": level} if level else parts


def fit_user_neighbours(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> UserNeighbours:  # noqa: ARG001
    """The `neighbours` most similar users of each user. correlation: "cosine" or "pearson"."""
    matrix = training_matrix(snapshot)
    vectors = _Vectors.of(matrix, str(settings["correlation"]), float(settings["shrink"]))
    return UserNeighbours(snapshot.item_ids, matrix, vectors, int(settings["neighbours"]))


@dataclass(frozen=True)
class _Vectors:
    """rows (n, m) sparse, columns (m, n) the same; means (n,) what each is centred by, 0 for cosine; lengths (n,) after
    centring."""

    rows: sp.csr_array
    columns: sp.csr_array
    means: NDArray[np.float64]
    lengths: NDArray[np.float64]
    shrink: float

    @classmethod
    def of(cls, rows: sp.csr_array, correlation: str, shrink: float) -> "_Vectors":
        width = width_of(rows)
        means = np.asarray(rows.sum(axis=1), np.float64).ravel() / width
        if correlation == "cosine":
            means[:] = 0
        squares = np.asarray(rows.multiply(rows).sum(axis=1)).ravel() - width * means**2
        return cls(rows, sp.csr_array(rows.T), means, np.sqrt(np.maximum(squares, 0)), shrink)

    def nearest(self, chosen: NDArray[np.int64], count: int) -> sp.csr_array:
        """(b, n) similarities above 0 of the chosen rows with the `count` other rows most like each."""
        similar = sp.csr_array(self.rows[chosen] @ self.columns)
        places = np.repeat(np.arange(len(chosen)), np.diff(similar.indptr))
        own, others = chosen[places], similar.indices.astype(np.int64)
        below = self.denominators(own, others)
        values = np.divide(similar.data - self.offsets(own, others), below, out=np.zeros_like(below), where=below > 0)
        values[own == others] = 0
        keep_largest(values, similar.indptr, count)
        similar.data = values.astype(np.float32)
        similar.eliminate_zeros()
        return similar

    def offsets(self, row: NDArray[np.int64] | int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        """m · mean · mean: what centring takes off a product."""
        return width_of(self.rows) * self.means[row] * self.means[others]

    def denominators(self, row: NDArray[np.int64] | int, others: NDArray[np.int64]) -> NDArray[np.float64]:
        product = self.lengths[row] * self.lengths[others]
        return np.where(product > 0, product + self.shrink, 0)
