"""How often items were taken, of late and ever. NumPy only. Times are relative to the data's newest event."""

import numpy as np
from numpy.typing import NDArray

from embeddings.features import Floats
from embeddings.weighting import DAY_MS, PairWeights

PRIOR = 0.5  # takers that every item has on top
TREND_PRIOR = (1.0, 5.0)  # new takers and takers that every item has on top, in its trend


def takers(pairs: PairWeights, num_items: int) -> NDArray[np.int64]:
    """(I,) users with a positive weight."""
    return np.bincount(pairs.item_rows[pairs.weights > 0], minlength=num_items)


def recent_takers(pairs: PairWeights, num_items: int, days: float) -> NDArray[np.int64]:
    """(I,) users whose newest event with the item is in the last days."""
    late = (pairs.weights > 0) & (pairs.at > pairs.at.max(initial=0) - days * DAY_MS)
    return np.bincount(pairs.item_rows[late], minlength=num_items)


def log_popularity(pairs: PairWeights, num_items: int, days: float) -> Floats:
    """(I,) log of recent popularity: recent takers, with all takers scaled down to the same sum as prior knowledge."""
    ever, late = takers(pairs, num_items), recent_takers(pairs, num_items, days)
    share = max(float(late.sum()), 1.0) / max(float(ever.sum()), 1.0)
    return np.log(0.5 * late + 0.5 * share * ever + PRIOR * share).astype(np.float32)


def new_takers(pairs: PairWeights, num_items: int, days: float) -> NDArray[np.int64]:
    """(I,) users who took the item for the first time in the last days."""
    late = (pairs.weights > 0) & (pairs.taken_at > pairs.at.max(initial=0) - days * DAY_MS)
    return np.bincount(pairs.item_rows[late], minlength=num_items)


def trend_of(pairs: PairWeights, num_items: int, days: float) -> Floats:
    """(I,) as `trend`, for the takers of the last days."""
    return trend(new_takers(pairs, num_items, days), takers(pairs, num_items))


def trend(new: NDArray[np.int64], ever: NDArray[np.int64]) -> Floats:
    """(I,) new takers per taker against the average of all, positive; 1 for items that nobody took."""
    ratio = (new + TREND_PRIOR[0]) / (ever + TREND_PRIOR[1])
    known = ever > 0
    mean = float(np.exp(np.log(ratio[known]).mean())) if known.any() else 1.0
    return np.where(known, ratio / mean, 1.0).astype(np.float32)
