"""Who else took two items both: the evidence of behavioural reasons."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.snapshot import Rows
from embeddings.weights import Weights
from recommend.drafts import LEAST_OTHERS, Others
from recommend.entity_index import ranges
from recommend.subject import Subject
from recommend.world import View

UserRows = NDArray[np.int32]
MOST_LOOKED_AT = 1 << 16  # people who took one of the user's items; beyond, only those of the strongest terms


class Company:
    """Of the training data, without the user and without those erased since. For one user, many items.

    event_rows: (h,) the user's items.
    """

    def __init__(self, view: View, subject: Subject, weights: Weights, event_rows: Rows) -> None:
        self._view = view
        self._weights = weights
        self._rows = event_rows
        own = subject.record.rows if subject.record is not None else ()
        self._left_out = np.array(sorted({*view.profiles.hidden_rows, *own}), np.int32)
        self._starts = weights.takers_indptr[event_rows].astype(np.int64)
        self._lengths = weights.takers_indptr[event_rows + 1] - self._starts

    def counts(self, item_row: int, terms: NDArray[np.floating]) -> NDArray[np.int64]:
        """(h,) how many others took each of the user's items and this one; 0 where nobody was looked at.

        terms: (h,) where the user has so many items that only some are looked at, those with the largest.
        """
        if self._lengths.sum() <= MOST_LOOKED_AT:
            users, owners = self._takers_of_all
        else:
            order = np.argsort(-terms, kind="stable")
            users, owners = self._takers_of(order[np.cumsum(self._lengths[order]) <= MOST_LOOKED_AT])
        return np.bincount(owners[self._others_of(item_row)[users]], minlength=len(self._rows))

    def others(self, event_row: int, item_row: int) -> Others:
        """Who they are, with witnesses, the least active: Neo4j finds their relationships fastest."""
        takers = self._takers(event_row)
        rows = takers[self._others_of(item_row)[takers]]
        witnesses = rows[np.argsort(self._view.people.activity[rows], kind="stable")[:LEAST_OTHERS]]
        return Others(len(rows), tuple(str(self._view.snapshot.user_ids[row]) for row in witnesses))

    @cached_property
    def _takers_of_all(self) -> tuple[UserRows, NDArray[np.int64]]:
        return self._takers_of(np.arange(len(self._rows)))

    def _takers_of(self, places: NDArray[np.int64]) -> tuple[UserRows, NDArray[np.int64]]:
        """Who took the user's items at these places, one item after the other; and the place, for each of them."""
        starts, lengths = self._starts[places], self._lengths[places]
        return self._weights.takers_rows[ranges(starts, starts + lengths)], np.repeat(places, lengths)

    def _others_of(self, item_row: int) -> NDArray[np.bool_]:
        """(U,) who took the item."""
        marks = np.zeros(len(self._view.snapshot.user_ids), np.bool_)
        marks[self._takers(item_row)] = True
        marks[self._left_out] = False
        return marks

    def _takers(self, item_row: int) -> UserRows:
        """Ascending; none of items that came after training."""
        begin, end = self._weights.takers_indptr[item_row : item_row + 2].tolist()
        return self._weights.takers_rows[begin:end]
