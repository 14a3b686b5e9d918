"""How far a short history is trusted, chosen on what validation users began with. NumPy only.

Every part of a score but popularity is multiplied with s² / (s² + h²), s the size Σ w² of the user's history: one of
size h counts half beside popularity, a much longer one whole. h = 0 trusts the first event as much as the hundredth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import scipy.sparse as sp

from embeddings.encoded import Encoded
from embeddings.features import Floats
from embeddings.fit_linear import Linear
from embeddings.fuse import Chosen, best_columns, gains
from embeddings.validation import Validation
from embeddings.weighting import trust_in

LENGTHS = (1, 2, 3, 5, 10)  # events that a user is known by
HALVES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
MOST_COST = 0.005  # of the NDCG of whole histories
MOST_SCORES = 16_000_000  # entries of one score matrix
BLOCK = 256


@dataclass(frozen=True)
class _Known:
    """Some validation users by part of their histories. personal, (b, I): the weighted sum of linear and taste; sizes
    (b,); popularity (I,); seen and targets (b, I)."""

    personal: Floats
    sizes: Floats
    popularity: Floats
    seen: sp.csr_array
    targets: sp.csr_array

    def gains(self, half: float) -> tuple[Floats, Floats]:
        """(b,) NDCG@10 and recall@10 of each user's list."""
        found = [self._gains(half, slice(start, start + BLOCK)) for start in range(0, len(self.sizes), BLOCK)]
        return np.concatenate([ndcgs for ndcgs, _ in found]), np.concatenate([recalls for _, recalls in found])

    def _gains(self, half: float, block: slice) -> tuple[Floats, Floats]:
        factors = np.array([trust_in(float(size), half) for size in self.sizes[block]], np.float32)
        scores = self.personal[block] * factors[:, None] + self.popularity
        scores[self.seen[block].nonzero()] = -np.inf
        targets = self.targets[block]
        hits = np.take_along_axis(targets.toarray() > 0, best_columns(scores), axis=1)
        return gains(hits, np.diff(targets.indptr))


def with_trust(validation: Validation, encoded: Encoded, linear: Linear, chosen: Chosen, seed: int) -> Chosen:
    """The same fusion with the half size under which lists for short histories are best.

    Among those that cost lists for whole histories at most MOST_COST, and of all that are within a standard error of
    the best the smallest: a list is then about its user as early as it may be.
    """
    most = max(MOST_SCORES // validation.num_items, 2)
    some = validation.among(slice(None, None, -(-len(validation.users) // most)))  # evenly: rows may be in order of age
    whole = _known(some, some.rows, encoded, linear, chosen)
    began = [_known(some, some.first(count, seed), encoded, linear, chosen) for count in LENGTHS]
    least = float(whole.gains(0.0)[0].mean()) * (1 - MOST_COST)
    halves = [half for half in HALVES if half == 0 or float(whole.gains(half)[0].mean()) >= least]
    half = _smallest_as_good(halves, [np.mean([each.gains(half)[0] for each in began], axis=0) for half in halves])
    if half == 0:
        return chosen
    ndcgs, recalls = _known(validation, validation.rows, encoded, linear, chosen).gains(half)
    fusion = msgspec.structs.replace(chosen.fusion, half_size=half)
    return replace(chosen, fusion=fusion, ndcg=float(ndcgs.mean()), recall=float(recalls.mean()), ndcgs=ndcgs)


def _smallest_as_good(halves: Sequence[float], ndcgs: Sequence[Floats]) -> float:
    """The one-standard-error rule, paired over users. Source: Breiman et al., Classification and Regression Trees."""
    best = max(ndcgs, key=lambda each: float(each.mean()))
    for half, each in zip(halves, ndcgs, strict=True):
        lost = (best - each).astype(np.float64)
        if lost.mean() <= lost.std(ddof=1) / np.sqrt(len(lost)):
            return half
    raise AssertionError("the best is as good as itself")


def _known(part: Validation, rows: sp.csr_array, encoded: Encoded, linear: Linear, chosen: Chosen) -> _Known:
    fusion = chosen.fusion
    sizes = np.asarray(rows.multiply(rows).sum(axis=1), np.float32).ravel()
    scale = fusion.linear / chosen.linear_deviation * np.where(sizes > 0, sizes, 1) ** -fusion.power
    personal = linear.scores(rows) * (scale[:, None] * part.trend**fusion.trend).astype(np.float32)
    personal += (encoded.users(rows) @ encoded.targets.T) / np.float32(chosen.taste_deviation)
    popularity = encoded.bias * np.float32(fusion.popularity / chosen.taste_deviation)
    return _Known(personal, sizes, popularity, part.seen, part.targets)
