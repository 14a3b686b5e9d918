"""A user's events, and what they weigh: the input of every score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.declarations import Declaration
from domain.snapshot import Interactions
from embeddings.weighting import weigh_pairs


@dataclass(frozen=True)
class UserEvents:
    """Events of one user, oldest first.

    item_rows (m,) int32; kinds (m,) int16 codes of declaration.event_kinds; values (m,) float32, NaN where absent;
    at (m,) int64 milliseconds UTC.
    """

    item_rows: NDArray[np.int32]
    kinds: NDArray[np.int16]
    values: NDArray[np.float32]
    at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.item_rows)

    @classmethod
    def of(cls, events: Sequence[tuple[int, int, float | None, int]]) -> "UserEvents":
        """From (item_row, kind, value, at) tuples."""
        items, kinds, values, at = zip(*events, strict=True) if events else ((), (), (), ())
        return cls(
            np.asarray(items, np.int32),
            np.asarray(kinds, np.int16),
            np.asarray([np.nan if value is None else value for value in values], np.float32),
            np.asarray(at, np.int64),
        )

    @classmethod
    def empty(cls) -> "UserEvents":
        return cls.of([])


@dataclass(frozen=True)
class Weighted:
    """What a user's items weigh, before any normalisation. item_rows (h,) int32 unique ascending; weights (h,) float32.

    Weight 0 is an item that was seen and says nothing about taste; below 0 it speaks against.
    """

    item_rows: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.item_rows)


def weigh(declaration: Declaration, events: UserEvents, *, half_life_days: float | None = None) -> Weighted:
    """The weight of each item among the events, by the same rules as in training. No events: no items."""
    pairs = weigh_pairs(
        declaration,
        np.zeros(len(events), np.int32),
        events.item_rows,
        events.kinds,
        events.values,
        events.at,
        half_life_days=half_life_days,
    )
    return Weighted(pairs.item_rows, pairs.weights)


class Histories:
    """The events of every user of a snapshot. `histories[user_row]` is a view, found in constant time."""

    def __init__(self, interactions: Interactions, num_users: int) -> None:
        self._interactions = interactions
        self._starts = np.searchsorted(interactions.user_rows, np.arange(num_users + 1))

    def __getitem__(self, user_row: int) -> UserEvents:
        part = slice(int(self._starts[user_row]), int(self._starts[user_row + 1]))
        events = self._interactions
        return UserEvents(events.item_rows[part], events.kinds[part], events.values[part], events.at[part])
