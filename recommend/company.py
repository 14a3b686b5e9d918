"""Who else took two items both: the evidence of behavioural reasons."""

import numpy as np
from numpy.typing import NDArray

from embeddings.weights import Weights
from recommend.drafts import LEAST_OTHERS, Others
from recommend.subject import Subject
from recommend.world import View

UserRows = NDArray[np.int32]


class Company:
    """Of the training data, without the user and without those erased since. For one user, many items."""

    def __init__(self, view: View, subject: Subject, weights: Weights) -> None:
        self._view = view
        self._weights = weights
        own = subject.record.rows if subject.record is not None else ()
        self._left_out = np.array(sorted({*view.profiles.hidden_rows, *own}), np.int32)
        self._kept: tuple[int, UserRows] = (-1, np.empty(0, np.int32))  # of the item that was asked last

    def count(self, event_row: int, item_row: int) -> int:
        """How many others took both."""
        return len(self._both(event_row, item_row))

    def others(self, event_row: int, item_row: int) -> Others:
        """The same with witnesses, the least active: Neo4j finds their relationships fastest."""
        rows = self._both(event_row, item_row)
        witnesses = rows[np.argsort(self._view.people.activity[rows], kind="stable")[:LEAST_OTHERS]]
        return Others(len(rows), tuple(str(self._view.snapshot.user_ids[row]) for row in witnesses))

    def _both(self, event_row: int, item_row: int) -> UserRows:
        """User rows, ascending."""
        of_item, of_event = self._others_of(item_row), self._takers(event_row)
        if not len(of_item):
            return of_item
        places = np.searchsorted(of_item, of_event)
        return of_event[of_item[np.minimum(places, len(of_item) - 1)] == of_event]

    def _others_of(self, item_row: int) -> UserRows:
        if self._kept[0] != item_row:
            takers = self._takers(item_row)
            self._kept = item_row, takers[~np.isin(takers, self._left_out)] if len(self._left_out) else takers
        return self._kept[1]

    def _takers(self, item_row: int) -> UserRows:
        """Ascending; none for items that came after training."""
        begin, end = self._weights.takers_indptr[item_row : item_row + 2] if self._is_trained(item_row) else (0, 0)
        return self._weights.takers_rows[begin:end]

    def _is_trained(self, item_row: int) -> bool:
        return item_row + 1 < len(self._weights.takers_indptr)
