"""From events to weights: how much each item says about a user's taste. The same function trains and serves.

NumPy only. The rules come from the declaration: see domain.declarations.EventKind.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.declarations import Declaration, EventKind

DAY_MS = 86_400_000
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class PairWeights:
    """One row per (user, item) that has any event, ordered by user row, then item row.

    user_rows, item_rows (m,) int32; weights (m,) float32, 0 for what was only seen, below 0 for what was disliked;
    at (m,) int64 milliseconds UTC of the newest event of the pair; taken_at (m,) of the oldest that says that the user
    likes the item, the newest of all where none does.
    """

    user_rows: NDArray[np.int32]
    item_rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    at: NDArray[np.int64]
    taken_at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user_rows)


def weigh_pairs(
    declaration: Declaration,
    user_rows: NDArray[np.int32],
    item_rows: NDArray[np.int32],
    kinds: NDArray[np.int16],
    values: NDArray[np.float32],
    at: NDArray[np.int64],
    *,
    half_life_days: float | None = None,
) -> PairWeights:
    """Adds up all events of each (user, item).

    All columns (n,) in any order; of events at the same moment the later row is the newer. Events of one user, item
    and kind count once, by the newest value ("newest"), or `log2(1 + n)` times ("count": one event counts 1). With a
    half-life, a weight halves for each such span between the newest event of the pair's kind and the user's newest.
    Impressions are left out: they make no pair. No events give no pairs.
    """
    shown = np.array([kind.is_impression for kind in declaration.event_kinds], np.bool_)[kinds]
    if shown.all():
        return PairWeights(_rows([]), _rows([]), np.empty(0, np.float32), np.empty(0, np.int64), np.empty(0, np.int64))
    order = np.lexsort((np.arange(len(at)), at, kinds, item_rows, user_rows))
    order = order[~shown[order]]
    user_rows, item_rows, kinds, values, at = (
        user_rows[order],
        item_rows[order],
        kinds[order],
        values[order],
        at[order],
    )
    same_pair = (user_rows[1:] == user_rows[:-1]) & (item_rows[1:] == item_rows[:-1])
    ends = np.append(np.flatnonzero(~(same_pair & (kinds[1:] == kinds[:-1]))), len(at) - 1)
    counts = np.diff(ends, prepend=-1)
    weights = _kind_weights(declaration.event_kinds, kinds[ends], values[ends], counts)
    if half_life_days is not None:
        newest = np.full(int(user_rows.max()) + 1, np.iinfo(np.int64).min)
        np.maximum.at(newest, user_rows[ends], at[ends])
        weights *= np.exp2((at[ends] - newest[user_rows[ends]]) / (half_life_days * DAY_MS))
    newest_at, oldest_at = at[ends], at[ends - counts + 1]
    user_rows, item_rows = user_rows[ends], item_rows[ends]
    new_pair = (user_rows[1:] != user_rows[:-1]) | (item_rows[1:] != item_rows[:-1])
    starts = np.append(0, np.flatnonzero(new_pair) + 1)
    pair_at = np.maximum.reduceat(newest_at, starts)
    taken_at = np.minimum.reduceat(np.where(weights > 0, oldest_at, NEVER), starts)
    return PairWeights(
        _rows(user_rows[starts]),
        _rows(item_rows[starts]),
        np.add.reduceat(weights, starts).astype(np.float32),
        pair_at,
        np.where(taken_at == NEVER, pair_at, taken_at),
    )


def _kind_weights(
    event_kinds: tuple[EventKind, ...],
    kinds: NDArray[np.int16],
    values: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(m,) the weight of `counts` events of one user, item and kind whose newest value is `values`."""
    weights = np.zeros(len(kinds))
    for code, kind in enumerate(event_kinds):
        of_kind = kinds == code
        weight = np.full(int(of_kind.sum()), kind.weight)
        if kind.steps:
            weight *= _step_factors(kind.steps, values[of_kind])
        if kind.repeat == "count":
            weight *= np.log2(1.0 + counts[of_kind])
        weights[of_kind] = weight
    return weights


def _step_factors(steps: tuple[tuple[float, float], ...], values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(m,) the factor of the first step that each value reaches; 0 below the last step and for NaN."""
    factors = np.zeros(len(values))
    for least, factor in sorted(steps):
        factors[values >= least] = factor
    return factors


def size_scale(weights: NDArray[np.floating], power: float) -> float:
    """(Σ w²) to the −power: what a user's weights are multiplied with. 0 when no weight differs from 0.

    Power 0.5 makes the weights a unit vector, 0 leaves them as they are.
    """
    size = float(np.square(weights, dtype=np.float64).sum())
    return size**-power if size > 0 else 0.0


def trust_in(size: float, half_size: float) -> float:
    """What every part of a score but popularity is multiplied with: s⁴ / (s⁴ + h⁴) for a history of size s = Σ w².

    A half for one of size half_size, 0 for one of size 0, and 1 from ten times that size, for what is left is .0001.
    """
    if size <= 0:
        return 0.0
    return 1.0 if size >= 10 * half_size else 1 / (1 + (half_size / size) ** 4)


def _rows(values: object) -> NDArray[np.int32]:
    return np.asarray(values, dtype=np.int32)
