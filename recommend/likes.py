"""What the items that a user likes have, summed by feature: the entity terms of many items in a few look-ups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommend.entity_index import EntityIndex

Amounts = NDArray[np.float64]


@dataclass(frozen=True)
class Shared:
    """The features that an item shares with the user's liked ones, (t,) each.

    columns: of the features. amounts: the sum of their terms. told: of those that may be told; events: how many these
    are. groups: what `likes` calls them.
    """

    likes: "Likes"
    columns: NDArray[np.int64]
    amounts: Amounts
    told: Amounts
    events: NDArray[np.int64]
    groups: NDArray[np.int64]


class Likes:
    """Made once per list. amounts (h,): what the index's rows count; those of 0 and less are left out.

    may_tell (n,): for each entry of the index whether it may be told.
    """

    def __init__(self, index: EntityIndex, amounts: NDArray[np.floating], may_tell: NDArray[np.bool_]) -> None:
        self._index = index
        liked = np.flatnonzero(amounts[index.places] > 0)
        columns, self._places = index.columns[liked], index.places[liked]
        values = amounts[self._places].astype(np.float64) * index.values[liked]
        self._values = np.where(may_tell[liked], values, 0)
        self._starts = np.flatnonzero(np.diff(columns, prepend=-1))
        self._ends = np.append(self._starts[1:], len(columns))[: len(self._starts)]
        self._columns = columns[self._starts]
        self._amounts, self._told = self._sums(values), self._sums(self._values)
        self._events = self._sums((self._values > 0).astype(np.float64)).astype(np.int64)

    def _sums(self, values: Amounts) -> Amounts:
        return np.add.reduceat(values, self._starts) if len(self._starts) else np.zeros(0)

    def shared_with(self, item_row: int, scale: float) -> Shared:
        """scale: what the terms of this item are multiplied with."""
        columns, values = self._index.of_item(item_row)
        groups = np.searchsorted(self._columns, columns)
        groups[groups == len(self._columns)] = 0
        have = np.flatnonzero(self._columns[groups] == columns) if len(self._columns) else groups[:0]
        groups, factors = groups[have], values[have].astype(np.float64) * scale
        amounts, told = self._amounts[groups] * factors, self._told[groups] * factors
        return Shared(self, columns[have].astype(np.int64), amounts, told, self._events[groups], groups)

    def first(self, group: int) -> int:
        """The place of the liked item with the largest of the terms that may be told."""
        begin, end = int(self._starts[group]), int(self._ends[group])
        return int(self._places[begin + int(np.argmax(self._values[begin:end]))])

    def events_of(self, groups: NDArray[np.int64]) -> int:
        """How many liked items have any of these features."""
        parts = [slice(int(self._starts[group]), int(self._ends[group])) for group in groups]
        return len({place for part in parts for place in self._places[part][self._values[part] > 0].tolist()})
