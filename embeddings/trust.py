"""What counts in short histories and in long ones, chosen on what validation users began with. NumPy only.

Every part of a score but popularity is multiplied with t = s⁴ / (s⁴ + h⁴), s the size Σ w² of the user's history: one
of size h counts half beside popularity, a much longer one whole. h = 0 trusts the first event as much as the hundredth.
What the people who took the user's items took besides (embeddings.together) is not: it counts `together_short` in a
history that is not trusted, and `together_whole` in one that is.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import scipy.sparse as sp

from embeddings.encoded import Encoded
from embeddings.features import Floats
from embeddings.fit_linear import Linear
from embeddings.fuse import Chosen, Fusion, K, deviation, gains, moments
from embeddings.largest import largest_of_rows
from embeddings.together import taken_together
from embeddings.validation import Validation
from embeddings.weighting import trust_in

LENGTHS = (1, 2, 3, 5, 10)  # events that a user is known by
HALVES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
WHOLE, SHORT = (0.0, 0.25, 0.5, 1.0, 2.0), (0.0, 1.0, 4.0)  # what N counts, in deviations of the other personal parts
MOST_COST = 0.005  # of the NDCG of whole histories, beyond chance
MOST_SCORES = 16_000_000  # entries of one score matrix
BLOCK = 256


@dataclass(frozen=True)
class _Known:
    """Some validation users by part of their histories. personal, (b, I): the weighted sum of linear and taste;
    together (b, I): N, in the same deviations; sizes (b,); popularity (I,); seen and targets (b, I)."""

    personal: Floats
    together: Floats
    sizes: Floats
    popularity: Floats
    seen: sp.csr_array
    targets: sp.csr_array

    def gains(self, fusion: Fusion) -> tuple[Floats, Floats]:
        """(b,) NDCG@10 and recall@10 of each user's list."""
        found = [self._gains(fusion, slice(start, start + BLOCK)) for start in range(0, len(self.sizes), BLOCK)]
        return np.concatenate([ndcgs for ndcgs, _ in found]), np.concatenate([recalls for _, recalls in found])

    def ndcgs(self, fusion: Fusion) -> Floats:
        return self.gains(fusion)[0]

    def _gains(self, fusion: Fusion, block: slice) -> tuple[Floats, Floats]:
        trust = np.array([trust_in(float(size), fusion.half_size) for size in self.sizes[block]], np.float32)[:, None]
        scores = self.personal[block] * trust + self.popularity
        share = trust * np.float32(fusion.together_whole) + (1 - trust) * np.float32(fusion.together_short)
        if share.any():
            scores += self.together[block] * share
        scores[self.seen[block].nonzero()] = -np.inf
        targets = self.targets[block]
        hits = np.take_along_axis(targets.toarray() > 0, largest_of_rows(scores, K), axis=1)
        return gains(hits, np.diff(targets.indptr))


def with_trust(validation: Validation, encoded: Encoded, linear: Linear, chosen: Chosen, seed: int) -> Chosen:
    """The same fusion with what N counts in whole lists, and then the half size and what N counts below it.

    Of the latter those under which lists for short histories are best, among those that cost lists for whole histories
    at most MOST_COST, or a standard error more than that; and of all that are within a standard error of the best the
    smallest half size: a list is then about its user as early as it may be.
    """
    parts = _Parts(encoded, linear, chosen, taken_together(validation.matrix))
    everyone = parts.known(validation, validation.rows)
    scale = deviation(moments(everyone.personal)) / deviation(moments(everyone.together))
    parts = replace(parts, scale=scale)
    np.multiply(everyone.together, np.float32(scale), out=everyone.together)  # in place: it may be half a gigabyte
    fusions = [msgspec.structs.replace(chosen.fusion, together_whole=share) for share in WHOLE]
    fusion = max(fusions, key=lambda each: float(everyone.ndcgs(each).mean()))
    most = max(MOST_SCORES // validation.num_items, 2)
    some = validation.among(slice(None, None, -(-len(validation.users) // most)))  # evenly: rows may be in order of age
    fusion = _for_short(parts, some, fusion, seed)
    if fusion == chosen.fusion:
        return chosen
    ndcgs, recalls = everyone.gains(fusion)
    means = {"ndcg": float(ndcgs.mean()), "recall": float(recalls.mean())}
    return replace(chosen, fusion=fusion, together_scale=scale, ndcgs=ndcgs, **means)


def _for_short(parts: "_Parts", some: Validation, fusion: Fusion, seed: int) -> Fusion:
    whole = parts.known(some, some.rows)
    began = [parts.known(some, some.first(count, seed)) for count in LENGTHS]
    base = whole.ndcgs(fusion)
    best: dict[float, tuple[Fusion, Floats]] = {}
    for half, short in itertools.product(HALVES, SHORT):
        tried = msgspec.structs.replace(fusion, half_size=half, together_short=short)
        if (half == 0 and short > 0) or (half > 0 and not _may_pay(base, whole.ndcgs(tried))):
            continue
        ndcgs = np.asarray(np.mean([each.ndcgs(tried) for each in began], axis=0), np.float32)
        if half not in best or ndcgs.mean() > best[half][1].mean():
            best[half] = tried, ndcgs
    found = list(best.values())
    return found[_first_as_good([ndcgs for _, ndcgs in found])][0]


def _may_pay(base: Floats, ndcgs: Floats) -> bool:
    lost = base - ndcgs
    return float(lost.mean()) <= MOST_COST * float(base.mean()) + _error(lost)


def _first_as_good(ndcgs: Sequence[Floats]) -> int:
    """The one-standard-error rule, paired over users. Source: Breiman et al., Classification and Regression Trees."""
    best = max(ndcgs, key=lambda each: float(each.mean()))
    losses = (best - each for each in ndcgs)
    return next(place for place, lost in enumerate(losses) if lost.mean() <= _error(lost))


def _error(values: Floats) -> float:
    return float(values.std(ddof=1, dtype=np.float64) / np.sqrt(len(values)))


@dataclass(frozen=True)
class _Parts:
    """The fitted parts and how they are fused. together (I, I): N; scale: what it is multiplied with."""

    encoded: Encoded
    linear: Linear
    chosen: Chosen
    together: sp.csr_array
    scale: float = 1.0

    def known(self, part: Validation, rows: sp.csr_array) -> _Known:
        fusion, encoded = self.chosen.fusion, self.encoded
        sizes = np.asarray(rows.multiply(rows).sum(axis=1), np.float32).ravel()
        per_user = (np.where(sizes > 0, sizes, 1) ** -fusion.power).astype(np.float32)[:, None]
        per_item = (part.trend**fusion.trend).astype(np.float32)
        personal, together = self.linear.scores(rows), self._together(rows)
        for scores, scale in ((personal, fusion.linear / self.chosen.linear_deviation), (together, self.scale)):
            scores *= per_user * np.float32(scale)
            scores *= per_item
        users = encoded.users(rows) / np.float32(self.chosen.taste_deviation)
        for start in range(0, len(users), BLOCK):
            personal[start : start + BLOCK] += users[start : start + BLOCK] @ encoded.targets.T
        popularity = encoded.bias * np.float32(fusion.popularity / self.chosen.taste_deviation)
        return _Known(personal, together, sizes, popularity, part.seen, part.targets)

    def _together(self, rows: sp.csr_array) -> Floats:
        """(b, I) by blocks of users: most of the product is not 0, and its sparse form three times as large."""
        sums = np.empty((len(rows.indptr) - 1, len(self.together.indptr) - 1), np.float32)
        for start in range(0, len(sums), BLOCK):
            block = slice(start, start + BLOCK)
            sums[block] = sp.csr_array(sp.csr_array(rows[block]) @ self.together).toarray()
        return sums
