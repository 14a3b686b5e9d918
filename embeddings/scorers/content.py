"""Content-based scores: a user is the sum of the attributes of what they took, an item is scored by what it shares.

Attributes are weighed by TF-IDF and each item's vector has length 1. NumPy and SciPy only.
"""

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from domain.errors import NothingToTrain
from domain.progress import Progress
from domain.snapshot import Snapshot, Text
from embeddings.features import Features, item_features
from embeddings.scorers.contract import Floats, Settings, Users, history_matrix, item_parts, training_matrix


@dataclass(frozen=True)
class Content:
    """rows (U, I); vectors (I, K) of length 1, or 0 for an item without attributes."""

    item_ids: Text
    rows: sp.csr_array
    vectors: sp.csr_array

    def score(self, user_rows: Users) -> Floats:
        users = sp.csr_array(self.rows[user_rows] @ self.vectors)
        return np.asarray((users @ self.vectors.T).toarray(), np.float32)

    def fold_in(self, snapshot: Snapshot) -> "Content":
        return replace(self, rows=history_matrix(snapshot))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        own = sp.csr_array(self.rows[[user_row]])
        shared = (self.vectors[own.indices] @ self.vectors[[item_row]].T).toarray().ravel()
        return item_parts(self.item_ids, own.indices, own.data * shared)


def fit_content(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> Content:  # noqa: ARG001
    """idf_power: how much rare attributes count more.

    Raises: NothingToTrain when no item has an attribute.
    """
    vectors = attribute_vectors(described("content", snapshot), float(settings["idf_power"]))
    return Content(snapshot.item_ids, training_matrix(snapshot), vectors)


def described(name: str, snapshot: Snapshot) -> Features:
    """The features of the snapshot's items. Raises: NothingToTrain when there are none."""
    features = item_features(snapshot)
    if features.matrix.nnz == 0:
        raise NothingToTrain(f"{name} ranks by attributes, and no item has one; give the graph with --kg")
    return features


def attribute_vectors(features: Features, idf_power: float) -> sp.csr_array:
    """(I, K) rows of length 1: idf^power where the item has the attribute."""
    scaled = sp.csr_array(features.matrix * features.idf ** np.float32(idf_power))
    lengths = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return sp.csr_array(sp.diags_array(inverse.astype(np.float32)) @ scaled)
