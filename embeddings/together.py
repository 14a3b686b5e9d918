"""How often items were taken by the same people: what says most where little is known of a user. NumPy and SciPy only.

N_hi = n_hi / (n_h^¾ n_i^¼) · n_hi / (n_hi + SHRINK), n the numbers of people who took h, i and both: a cosine that is
measured more by the item of the event than by the one that is scored, so that a single event still asks for what many
take. Source: Aiolli, RecSys 2013, for the asymmetric cosine; the exponent is measured in docs/decisions/0020.
"""

import numpy as np
import scipy.sparse as sp

from embeddings.features import Floats
from embeddings.largest import keep_largest

NEIGHBOURS = 100  # entries kept per row: the largest
SHRINK = 5.0
OF_EVENT = 0.75  # the exponent of n_h; that of n_i is the rest
BLOCK = 100  # rows whose counts with all items are held at once: of a grocery, 60,000 each


def taken_together(matrix: sp.csr_array, neighbours: int = NEIGHBOURS) -> sp.csr_array:
    """N (I, I) float32 of the weights (U, I), those above 0: the row of each item of an event, with a zero diagonal.

    Each row keeps its largest `neighbours` entries; of those equal to the least of them, the items of lower rows.
    """
    pairs = matrix.tocoo()
    liked = pairs.data > 0
    ones = np.ones(np.count_nonzero(liked), np.float32)
    users = sp.csr_array((ones, (pairs.row[liked], pairs.col[liked])), shape=matrix.shape)
    items = sp.csr_array(users.T)
    takers = np.maximum(np.diff(items.indptr), 1).astype(np.float32)
    of_event, of_target = takers**-OF_EVENT, takers ** (OF_EVENT - 1)
    parts: list[sp.csr_array] = []
    for start in range(0, len(takers), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(takers)))
        both = sp.csr_array(items[rows] @ users)
        own = np.repeat(rows, np.diff(both.indptr))
        counts = np.asarray(both.data, np.float32)
        values = np.asarray(counts**2 / (counts + SHRINK) * of_event[own] * of_target[both.indices], np.float32)
        values[own == both.indices] = 0
        parts.append(_largest(both, values, neighbours))
    return sp.csr_array(sp.vstack(parts))


def _largest(rows: sp.csr_array, values: Floats, count: int) -> sp.csr_array:
    """The rows with these values in the place of their own, and only the `count` largest above 0 of each."""
    keep_largest(values, rows.indptr, count)
    left = np.flatnonzero(values > 0)
    own, columns = np.repeat(np.arange(len(rows.indptr) - 1), np.diff(rows.indptr))[left], rows.indices[left]
    order = np.lexsort((columns, -values[left], own))
    place = np.arange(len(order)) - np.searchsorted(own, np.arange(own.max(initial=-1) + 1))[own[order]]
    kept = np.sort(order[place < count])
    return sp.csr_array((values[left[kept]], (own[kept], columns[kept])), shape=rows.shape)
