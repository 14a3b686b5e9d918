"""EASE, EASE with attributes in its Gram matrix, and EDLAE: closed-form item-item models. NumPy and SciPy only.

B = I − P diag(1 / diag P), P = (G + Λ)⁻¹, G = XᵀX (+ α A Aᵀ); Λ = λ, or λ + p / (1 − p) · diag G for dropout p.
Source: Steck, WWW 2019 (EASE), NeurIPS 2020 (EDLAE); Jeunen et al., RecSys 2020, for side information.
"""

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.scorers.content import attribute_vectors, described
from embeddings.scorers.contract import ItemItem, Settings, refuse_many_items, training_matrix

MOST_ITEMS = 25_000


def fit_ease(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> ItemItem:  # noqa: ARG001
    """ridge: λ; dropout: p, 0 for plain EASE."""
    return _solve("ease", snapshot, None, settings, progress)


def fit_ease_with_attributes(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> ItemItem:  # noqa: ARG001
    """As EASE, with α A Aᵀ added to G: A (I, K) are the items' TF-IDF vectors, attributes: α.

    Raises: NothingToTrain when no item has an attribute.
    """
    vectors = attribute_vectors(described("ease-kg", snapshot), 1.0)
    shared = (vectors @ vectors.T).toarray() * float(settings["attributes"])
    return _solve("ease-kg", snapshot, shared, settings, progress)


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
