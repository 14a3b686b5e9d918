"""EASE, EASE with attributes in its Gram matrix, and EDLAE: closed-form item-item models. NumPy and SciPy only.

B = I − P diag(1 / diag P), P = (G + Λ)⁻¹, G = XᵀX (+ α A Aᵀ); Λ = λ, or λ + p / (1 − p) · diag G for dropout p.
Source: Steck, WWW 2019 (EASE), NeurIPS 2020 (EDLAE); Jeunen et al., RecSys 2020, for side information.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.progress import Progress
from domain.snapshot import Snapshot, Text
from embeddings.scorers.content import attribute_vectors, described
from embeddings.scorers.contract import (
    Floats,
    ItemItem,
    Settings,
    Users,
    dense,
    history_matrix,
    item_parts,
    refuse_many_items,
    training_matrix,
)

MOST_ITEMS = 25_000
MOST_USERS = 10_000  # by the dual form, where there are more items


@dataclass(frozen=True)
class DualEase:
    """The same B without an items x items matrix, exactly: P = (I − Xᵀ K X) / λ with K = (X Xᵀ + λI)⁻¹.

    rows (U', I): histories to score; trained X (U, I); solved K X (U, I); variances diag P (I,).
    """

    item_ids: Text
    rows: sp.csr_array
    trained: sp.csr_array
    solved: Floats
    variances: Floats
    ridge: float

    def score(self, user_rows: Users) -> Floats:
        """z B = z − z P diag(1 / diag P)."""
        own = sp.csr_array(self.rows[user_rows])
        inner = dense(own @ self.trained.T)
        plain = dense(own)
        return np.asarray(plain - (plain - inner @ self.solved) / (self.ridge * self.variances), np.float32)

    def fold_in(self, snapshot: Snapshot) -> "DualEase":
        return replace(self, rows=history_matrix(snapshot))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        own = sp.csr_array(self.rows[[user_row]])
        same = (own.indices == item_row).astype(np.float32)
        inner = self.trained[:, own.indices].T @ self.solved[:, item_row]
        column = same - (same - inner) / (self.ridge * self.variances[item_row])
        return item_parts(self.item_ids, own.indices, own.data * column)


def fit_ease(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> ItemItem | DualEase:  # noqa: ARG001
    """ridge: λ. Where there are many items and few users, by the dual form."""
    num_users, num_items = len(snapshot.user_ids), len(snapshot.item_ids)
    if num_items > MOST_ITEMS and num_users <= MOST_USERS:
        return _solve_dual(snapshot, float(settings["ridge"]), progress)
    return _solve("ease", snapshot, None, settings, progress)


def fit_edlae(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> ItemItem:  # noqa: ARG001
    """ridge: λ; dropout: p."""
    return _solve("edlae", snapshot, None, settings, progress)


def fit_ease_with_attributes(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> ItemItem:  # noqa: ARG001
    """As EASE, with α A Aᵀ added to G: A (I, K) are the items' TF-IDF vectors, attributes: α.

    Raises: NothingToTrain when no item has an attribute.
    """
    vectors = attribute_vectors(described("ease-kg", snapshot), 1.0)
    shared = (vectors @ vectors.T).toarray() * float(settings["attributes"])
    return _solve("ease-kg", snapshot, shared, settings, progress)


def _solve_dual(snapshot: Snapshot, ridge: float, progress: Progress) -> DualEase:
    matrix = training_matrix(snapshot)
    with progress.step("Solving ease by its dual", 1) as advance:
        inner = (matrix @ matrix.T).toarray().astype(np.float64)
        inner[np.diag_indices_from(inner)] += ridge
        kernel = scipy.linalg.inv(inner, overwrite_a=True, check_finite=False).astype(np.float32)
        solved = np.ascontiguousarray((matrix.T @ kernel).T)
        held = np.asarray(matrix.multiply(solved).sum(axis=0), np.float32).ravel()
        advance(1)
    return DualEase(snapshot.item_ids, matrix, matrix, solved, (1 - held) / np.float32(ridge), ridge)


def _solve(
    name: str, snapshot: Snapshot, added: NDArray[np.floating] | None, settings: Settings, progress: Progress
) -> ItemItem:
    matrix = training_matrix(snapshot)
    refuse_many_items(name, len(snapshot.item_ids), MOST_ITEMS)
    with progress.step(f"Solving {name}", 1) as advance:
        gram = (matrix.T @ matrix).toarray().astype(np.float64)
        if added is not None:
            gram += added
        dropout = float(settings.get("dropout", 0.0))
        shift = float(settings["ridge"]) + dropout / (1 - dropout) * np.diag(gram)
        weights = item_weights(gram, shift)
        advance(1)
    return ItemItem(snapshot.item_ids, matrix, weights.astype(np.float32))


def item_weights(gram: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
    """B (I, I) with a zero diagonal of G (I, I), which is overwritten, and Λ's diagonal (I,)."""
    gram[np.diag_indices_from(gram)] += shift
    inverse = scipy.linalg.inv(gram, overwrite_a=True, check_finite=False)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights
