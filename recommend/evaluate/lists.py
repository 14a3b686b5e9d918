"""Ranked lists of many users in blocks of bounded memory, and whether their items were to be found. No torch."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from embeddings.scorers.contract import Fitted, Floats, Users, width_of
from recommend.evaluate.metrics import Counts, Hits

MOST_SCORES = 16_000_000  # entries of a block of scores: 64 MB
NOBODY = -1


@dataclass(frozen=True)
class Lists:
    """user_rows (n,); items (n, k) int64 rows, best first, −1 where a list is shorter; scores (n, k) float32."""

    user_rows: Users
    items: NDArray[np.int64]
    scores: Floats


def ranked_lists(
    fitted: Fitted, user_rows: Users, left_out: sp.csr_array, k: int, advance: Callable[[int], None] | None = None
) -> Lists:
    """The best k items of each user without those of `left_out` (U, I); equal scores by item row.

    Raises: ValueError when a score is not a number.
    """
    items = np.full((len(user_rows), k), NOBODY, np.int64)
    scores = np.zeros((len(user_rows), k), np.float32)
    for start, block in _blocks(user_rows, width_of(left_out)):
        values = fitted.score(block)
        if np.isnan(values).any():
            raise ValueError("a scorer gave a score that is not a number")
        seen = left_out[block].tocoo()
        values[seen.row, seen.col] = -np.inf
        for place, row in enumerate(values):
            best = _top(row, k)
            items[start + place, : len(best)] = best
            scores[start + place, : len(best)] = row[best]
        if advance is not None:
            advance(len(block))
    return Lists(user_rows, items, scores)


def hits_of(lists: Lists, targets: sp.csr_array) -> tuple[Hits, Counts]:
    """hits (n, k) and wanted (n,) for targets (U, I) of ones. Users with nothing to find have wanted 0."""
    rows = targets[lists.user_rows]
    wanted = np.diff(rows.indptr).astype(np.int64)
    coo = rows.tocoo()
    width = width_of(targets)
    keys = coo.row.astype(np.int64) * width + coo.col
    own = np.arange(len(lists.items))[:, None] * width + lists.items
    return np.isin(own, keys) & (lists.items != NOBODY), wanted


def _blocks(user_rows: Users, num_items: int) -> Iterator[tuple[int, Users]]:
    size = max(1, MOST_SCORES // max(num_items, 1))
    for start in range(0, len(user_rows), size):
        yield start, user_rows[start : start + size]


def _top(scores: Floats, k: int) -> NDArray[np.int64]:
    """At most k rows by falling score, equal scores by row; never one of −∞."""
    if len(scores) > k:
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        rows = np.flatnonzero((scores >= least) & (scores > -np.inf))
    else:
        rows = np.flatnonzero(scores > -np.inf)
    return rows[np.lexsort((rows, -scores[rows]))][:k]
