"""Ranking metrics of full lists, per user. NumPy only.

All take hits (U, n) bool: whether the item at each rank, best first, is one to be found (False where a list is
shorter), and wanted (U,) int >= 1: how many items each user has to find. They give (U,) float64 in 0 to 1.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]
Counts = NDArray[np.int64]
Values = NDArray[np.float64]
Metric = Callable[[Hits, Counts, int], Values]


def hit_matrix(lists: Sequence[Sequence[object]], targets: Sequence[set[object]], n: int) -> tuple[Hits, Counts]:
    """hits (U, n) and wanted (U,) of the users' lists and the items they have to find, in the same order."""
    hits = np.zeros((len(lists), n), np.bool_)
    for row, (ranked, wanted) in enumerate(zip(lists, targets, strict=True)):
        found = [item in wanted for item in list(ranked)[:n]]
        hits[row, : len(found)] = found
    return hits, np.array([len(wanted) for wanted in targets], np.int64)


def recall(hits: Hits, wanted: Counts, k: int) -> Values:
    """Found in the first k / wanted: 2 found of 4 give 0.5."""
    return hits[:, :k].sum(axis=1) / wanted


def precision(hits: Hits, wanted: Counts, k: int) -> Values:  # noqa: ARG001
    """Found in the first k / k: 2 found in the first 10 give 0.2."""
    return hits[:, :k].sum(axis=1) / k


def ndcg(hits: Hits, wanted: Counts, k: int) -> Values:
    """Σ 1 / log2(rank + 1) over the hits / the same of a perfect list, which has min(k, wanted) hits.

    Source: Järvelin & Kekäläinen, TOIS 2002, with binary gains.
    """
    discounts: Values = np.asarray(1 / np.log2(np.arange(2, k + 2)))
    width = min(k, hits.shape[1])
    ideal: Values = np.take(np.cumsum(discounts), np.minimum(k, wanted) - 1)
    gains: Values = np.einsum("un,n->u", hits[:, :width], discounts[:width])
    return gains / ideal


def reciprocal_rank(hits: Hits, wanted: Counts, k: int) -> Values:  # noqa: ARG001
    """1 / the rank of the first hit in the first k; 0 without one. Its mean is MRR."""
    cut = hits[:, :k]
    return np.where(cut.any(axis=1), 1 / (cut.argmax(axis=1) + 1), 0.0)


def average_precision(hits: Hits, wanted: Counts, k: int) -> Values:
    """Σ over the hits of the precision at their rank / min(k, wanted). Its mean is MAP."""
    cut = hits[:, :k]
    at_rank = np.cumsum(cut, axis=1) / np.arange(1, cut.shape[1] + 1)
    most: Counts = np.minimum(wanted, k)
    return np.asarray(np.einsum("un,un->u", at_rank, cut / most[:, None]), np.float64)


def hit_rate(hits: Hits, wanted: Counts, k: int) -> Values:  # noqa: ARG001
    """1 when anything was found in the first k."""
    return np.asarray(np.any(hits[:, :k], axis=1), np.float64)


METRICS: dict[str, Metric] = {
    "recall": recall,
    "precision": precision,
    "ndcg": ndcg,
    "mrr": reciprocal_rank,
    "map": average_precision,
    "hit": hit_rate,
}


def coverage(lists: Sequence[Sequence[object]], num_items: int, k: int) -> float:
    """The share of all items that is in the first k of any list."""
    return len({item for ranked in lists for item in list(ranked)[:k]}) / num_items


def standard_error(values: Values) -> float:
    """Of the mean over users."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def bootstrap_difference(
    ours: Values, theirs: Values, *, seed: int = 0, rounds: int = 2_000
) -> tuple[float, float, float]:
    """The mean difference of two models on the same users and its 95 % interval by paired bootstrap; 0 of nobody."""
    difference = ours - theirs
    if len(difference) == 0:
        return 0.0, 0.0, 0.0
    draws = np.random.default_rng(seed).integers(0, len(difference), (rounds, len(difference)))
    low, high = np.quantile(difference[draws].mean(axis=1), [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)
