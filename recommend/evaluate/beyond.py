"""What lists are like beside how much they find: how much of the catalogue, how even, how novel, how diverse.

All take lists (U, k) of item rows, −1 where a list is shorter. NumPy and SciPy only.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommend.evaluate.metrics import Counts, Values

ItemLists = NDArray[np.int64]


def catalogue_coverage(lists: ItemLists, num_items: int) -> float:
    """The share of all items that is in any list."""
    return len(np.unique(lists[lists >= 0])) / num_items


def gini(lists: ItemLists, num_items: int) -> float:
    """How unevenly places go to items: 0 when every item gets as many, (I − 1) / I when one item gets all.

    Σ_i (2i − I − 1) c_i / (I Σ c) with the counts c ascending, i from 1. 0 for no lists.
    """
    counts = np.sort(np.bincount(lists[lists >= 0], minlength=num_items))
    total = counts.sum()
    if total == 0:
        return 0.0
    place = np.arange(1, num_items + 1)
    return float(((2 * place - num_items - 1) * counts).sum() / (num_items * total))


def novelty(lists: ItemLists, takers: Counts, num_users: int) -> Values:
    """(U,) the mean self-information −log2(takers / users) of each list, in bits; 0 for an empty list.

    takers (I,): users of the training part who took each item; an item that nobody took counts as taken once.
    Source: Zhou et al., PNAS 2010.
    """
    surprise = -np.log2(np.maximum(takers, 1) / num_users)
    there = lists >= 0
    total = np.where(there, surprise[np.where(there, lists, 0)], 0.0).sum(axis=1)
    return total / np.maximum(there.sum(axis=1), 1)


def intra_list_diversity(lists: ItemLists, vectors: sp.csr_array) -> Values:
    """(U,) the mean of 1 − cosine over all pairs of items of a list; 0 for lists of fewer than two.

    vectors (I, K): rows of length 1 (or 0: such an item is like no other).
    Source: Ziegler et al., WWW 2005, with the mean in place of the sum.
    """
    values = np.zeros(len(lists))
    for row, items in enumerate(lists):
        own = items[items >= 0]
        if len(own) > 1:
            similar = (vectors[own] @ vectors[own].T).toarray()
            pairs = len(own) * (len(own) - 1)
            values[row] = 1 - (similar.sum() - np.trace(similar)) / pairs
    return values


def taker_vectors(taken: sp.csr_array) -> sp.csr_array:
    """(I, U) of length 1: an item described by who took it."""
    columns = sp.csr_array(taken.T).astype(np.float64)
    lengths = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)) @ columns)
