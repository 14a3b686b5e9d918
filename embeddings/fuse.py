"""Chooses on the validation part how the linear model, the encoder and popularity are added up. NumPy only.

score = t · (trend_i^γ · linear · size^−p · (x (B0 + R)) / σ_linear  +  (x̂ C Qᵀ) / σ_taste)  +  β · bias / σ_taste

σ are standard deviations over all validation users and items, fixed once: the served score is one plain sum.
t is 1 here: how far a short history is trusted is chosen afterwards, see embeddings.trust.
"""

import itertools
from dataclasses import dataclass, field

import msgspec
import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from embeddings.features import Floats
from embeddings.largest import largest, largest_of_rows

K = 10  # the cut-off of the metric that is chosen by
POOLED = 150  # best items of each component, of which the fused list is made


class Fusion(msgspec.Struct, frozen=True, kw_only=True):
    """linear: weight beside taste (which counts 1). power: of Σ w², for the linear part. popularity: β. trend: γ.
    half_size: h of embeddings.trust; together_whole, together_short: what N counts there, in deviations of the rest."""

    linear: float = 1.0
    power: float = 0.25
    popularity: float = 1.0
    trend: float = 0.0
    half_size: float = 0.0
    together_whole: float = 0.0
    together_short: float = 0.0


LINEAR = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)
POWERS = (0.25, 0.5)
POPULARITY = (0.3, 0.6, 1.0)
TRENDS = (0.0, 0.5, 0.75)


@dataclass(frozen=True)
class Components:
    """Scores of the validation users: linear (b, I) before any scaling, taste (b, I); sizes (b,) Σ w²; seen, targets
    (b, I) sparse; bias (I,); trend (I,) positive, 1 on average."""

    linear: Floats
    taste: Floats
    sizes: Floats
    seen: sp.csr_array
    targets: sp.csr_array
    bias: Floats
    trend: Floats


@dataclass(frozen=True)
class Chosen:
    """together_scale: the deviation of the personal parts over that of N. ndcg, recall: means at K over the validation
    users; ndcgs (b,) of each."""

    fusion: Fusion
    linear_deviation: float
    taste_deviation: float
    ndcg: float
    recall: float
    together_scale: float = 1.0
    ndcgs: Floats = field(default_factory=lambda: np.zeros(0, np.float32), compare=False)

    def loss_against(self, other: "Chosen") -> float:
        """The most that this may lose against the other, relative to it: the lower end of the 95 % interval, negated.

        Paired over the same users, by the normal approximation.
        """
        if other.ndcg <= 0:
            return 0.0
        difference = (self.ndcgs - other.ndcgs).astype(np.float64)
        error = float(difference.std(ddof=1)) / np.sqrt(len(difference))
        return -(float(difference.mean()) - 1.96 * error) / other.ndcg


@dataclass(frozen=True)
class _Pool:
    """Candidates of each user, (b, p) columns with True in `real` where they are not padding."""

    columns: NDArray[np.int64]
    real: NDArray[np.bool_]
    hits: NDArray[np.bool_]
    wanted: NDArray[np.int64]


def choose(parts: Components) -> Chosen:
    """The best of the grid by mean NDCG@10; among equals the first."""
    pool = _pool(parts)
    rows = np.arange(len(parts.sizes))[:, None]
    linear_moments = moments(parts.linear)
    taste_deviation = deviation(moments(parts.taste))
    linear, taste = parts.linear[rows, pool.columns], parts.taste[rows, pool.columns] / taste_deviation
    bias, trend = parts.bias[pool.columns] / taste_deviation, parts.trend[pool.columns]
    best: Chosen | None = None
    for power in POWERS:
        scale = _size_scale(parts.sizes, power)
        linear_deviation = deviation(linear_moments, scale[:, 0])
        for gamma in TRENDS:
            scaled = linear * scale * trend**gamma / linear_deviation
            for weight, beta in itertools.product(LINEAR, POPULARITY):
                ndcgs, recalls = _metrics(np.asarray(weight * scaled + taste + beta * bias, np.float32), pool)
                ndcg = float(ndcgs.mean(dtype=np.float64))
                if best is None or ndcg > best.ndcg:
                    fusion = Fusion(linear=weight, power=power, popularity=beta, trend=gamma)
                    best = Chosen(fusion, linear_deviation, taste_deviation, ndcg, float(recalls.mean()), ndcgs=ndcgs)
    assert best is not None
    return best


def _size_scale(sizes: Floats, power: float) -> Floats:
    return (np.where(sizes > 0, sizes, 1) ** -power).astype(np.float32)[:, None]


def moments(scores: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(b,) each user's mean score and mean squared score, without a second matrix of their size."""
    squares = np.einsum("ui,ui->u", scores, scores, dtype=np.float64) / max(scores.shape[1], 1)
    return np.asarray(scores.mean(axis=1, dtype=np.float64)), np.asarray(squares, np.float64)


def deviation(moments: tuple[NDArray[np.float64], NDArray[np.float64]], scale: Floats | float = 1.0) -> float:
    """The standard deviation over all users' scores, each user's times a scale."""
    means, squares = moments
    variance = (squares * np.square(scale)).mean() - np.square((means * scale).mean())
    return max(float(np.sqrt(max(variance, 0.0))), 1e-9)


def _pool(parts: Components) -> _Pool:
    """Of each user, the best unseen items of the linear part (with and without trend), of taste and of both."""
    kept: list[NDArray[np.int64]] = []
    wanted: list[NDArray[np.int64]] = []
    for row in range(len(parts.sizes)):
        seen = np.asarray(parts.seen.indices[parts.seen.indptr[row] : parts.seen.indptr[row + 1]], np.int64)
        taste = parts.taste[row] + parts.bias
        linear = parts.linear[row]
        both = linear / max(float(linear.std()), 1e-9) + taste / max(float(taste.std()), 1e-9)
        best = [_best(scores, seen) for scores in (linear, linear * parts.trend**0.5, taste, both)]
        kept.append(np.unique(np.concatenate(best)).astype(np.int64))
        own = slice(parts.targets.indptr[row], parts.targets.indptr[row + 1])
        wanted.append(np.asarray(parts.targets.indices[own], np.int64))
    width = max((len(each) for each in kept), default=0)
    columns, real = np.zeros((len(kept), width), np.int64), np.zeros((len(kept), width), np.bool_)
    hits = np.zeros((len(kept), width), np.bool_)
    for row, (each, targets) in enumerate(zip(kept, wanted, strict=True)):
        columns[row, : len(each)], real[row, : len(each)] = each, True
        hits[row, : len(each)] = np.isin(each, targets)
    return _Pool(columns, real, hits, np.array([len(targets) for targets in wanted]))


def _best(scores: Floats, seen: NDArray[np.integer]) -> NDArray[np.int64]:
    masked = scores.copy()
    masked[seen] = -np.inf
    found = largest(masked, POOLED)
    return found[np.isfinite(masked[found])]


def _metrics(scores: Floats, pool: _Pool) -> tuple[Floats, Floats]:
    """NDCG and recall at K of each user. Targets outside the pool are missed."""
    order = largest_of_rows(np.where(pool.real, scores, -np.inf), K)
    return gains(np.take_along_axis(pool.hits, order, axis=1), pool.wanted)


def gains(hits: NDArray[np.bool_], wanted: NDArray[np.integer]) -> tuple[Floats, Floats]:
    """(b,) NDCG and recall at K of lists (b, at most K) in order, of users who want so many items (b,), at least one.

    The ideal list has min(K, wanted) of them.
    """
    discounts = 1 / np.log2(np.arange(2, K + 2))
    ideal = np.cumsum(discounts)[np.minimum(wanted, K) - 1]
    ndcgs, recalls = hits @ discounts[: hits.shape[1]] / ideal, hits.sum(axis=1) / wanted
    return ndcgs.astype(np.float32), recalls.astype(np.float32)
