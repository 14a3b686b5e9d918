"""The largest entries of rows that may be long, without ordering the whole row. NumPy only."""

import numpy as np
from numpy.typing import NDArray

from embeddings.features import Floats

STRIP = 64  # scores of which only the highest is looked at first
SHORT = 2_000  # a row below is partitioned as a whole

Places = NDArray[np.int64]


def largest(scores: Floats, count: int) -> Places:
    """(at most count,) the places of the highest of the scores (n,), the highest first; of equal ones the first.

    The count-th highest maximum of a strip is at most the count-th highest score: what is below it needs no ordering.
    """
    strips = -(-len(scores) // STRIP)
    candidates = np.arange(len(scores))
    if strips > count:
        maxima = np.maximum.reduceat(scores, np.arange(0, len(scores), STRIP))
        candidates = np.flatnonzero(scores >= np.partition(maxima, strips - count)[strips - count])
    return candidates[np.argsort(-scores[candidates], kind="stable")[:count]]


def largest_of_rows(scores: Floats, count: int) -> Places:
    """(b, at most count) the same of each row of the scores (b, n); of short rows' equal scores at the end any."""
    width = min(count, scores.shape[1])
    if scores.shape[1] > SHORT:
        return np.array([largest(row, count) for row in scores], np.int64).reshape(len(scores), width)
    best = np.sort(np.argpartition(-scores, width - 1, axis=1)[:, :width], axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def keep_largest(values: NDArray[np.floating], indptr: NDArray[np.integer], count: int) -> None:
    """Sets all but the `count` highest values of each sparse row, and those below 0, to 0, in place. Equal ones stay.

    values (n,) row by row, row r at indptr[r] to indptr[r + 1].
    """
    np.maximum(values, 0, out=values)
    for row in np.flatnonzero(np.diff(indptr) > count).tolist():
        own = values[indptr[row] : indptr[row + 1]]
        own[own < np.partition(own, len(own) - count)[len(own) - count]] = 0
