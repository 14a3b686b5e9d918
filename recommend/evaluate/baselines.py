"""What every model must beat: popularity, recent popularity, item neighbourhoods. NumPy and SciPy only."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from embeddings.holdout import matrix_of, pairs_of
from embeddings.popularity import recent_takers, takers
from embeddings.weighting import PairWeights

ScoreUser = Callable[[int], NDArray[np.float32]]  # user row -> (I,) scores


def popular(snapshot: Snapshot) -> ScoreUser:
    """The number of users who took an item; the same for everyone."""
    counts = takers(_pairs(snapshot), len(snapshot.item_ids)).astype(np.float32)
    return lambda user_row: counts.copy()  # noqa: ARG005


def recent_popular(snapshot: Snapshot, *, days: float = 28.0) -> ScoreUser:
    """The number of users whose newest event with the item lies in the last days of the data."""
    counts = recent_takers(_pairs(snapshot), len(snapshot.item_ids), days).astype(np.float32)
    return lambda user_row: counts.copy()  # noqa: ARG005


def item_neighbours(snapshot: Snapshot, *, neighbours: int = 100, shrink: float = 10.0) -> ScoreUser:
    """Σ over the user's items of the cosine with each item's nearest neighbours, shrunk by co-counts.

    sim_ij = x_i · x_j / (‖x_i‖ ‖x_j‖ + shrink), the largest `neighbours` of each j kept.
    """
    histories = sp.csr_array(matrix_of(_pairs(snapshot), snapshot).maximum(0).astype(np.float32))
    similar = nearest_items(histories, neighbours, shrink)
    return lambda user_row: np.asarray((histories[[user_row]] @ similar).toarray(), np.float32).ravel()


def nearest_items(matrix: sp.csr_array, neighbours: int, shrink: float) -> sp.csr_array:
    """(I, I) the similarities that item_neighbours sums, of the weights (U, I) of what each user took."""
    columns = sp.csc_array(matrix)
    lengths = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0)).ravel())
    parts = [
        _nearest(columns, lengths, start, min(start + 1_000, len(lengths)), neighbours, shrink)
        for start in range(0, len(lengths), 1_000)
    ]
    return sp.csr_array(sp.hstack(parts)) if parts else sp.csr_array((0, 0))


def _nearest(
    columns: sp.csc_array, lengths: NDArray[np.float32], start: int, end: int, neighbours: int, shrink: float
) -> sp.csc_array:
    """(I, end − start) the similarities of items start to end with their neighbours."""
    shared = np.asarray((columns.transpose() @ columns[:, start:end]).toarray(), np.float32)
    similar = shared / (np.outer(lengths, lengths[start:end]) + np.float32(shrink))
    similar[np.arange(start, end), np.arange(end - start)] = 0
    if len(lengths) > neighbours:
        least = np.partition(similar, len(lengths) - neighbours, axis=0)[len(lengths) - neighbours]
        similar[similar < least] = 0
    return sp.csc_array(similar)


def _pairs(snapshot: Snapshot) -> PairWeights:
    return pairs_of(snapshot, snapshot.interactions, half_life_days=None)
