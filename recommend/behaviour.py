"""What the model learned of items that the same people take, as it is served: R and N of embeddings.weights.

R is kept as whole rows, as a product without its diagonal, or sparse; N is sparse.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Rows
from embeddings.alike import Borrowed
from embeddings.weighting import trust_in
from embeddings.weights import Floats, Normalisation, Weights

WIDEN_UP_TO = 1 << 26  # entries of behaviour rows that are kept as float32: twice as fast, up to 256 MiB


@dataclass(frozen=True)
class Shares:
    """What R (and all else that is personal) is multiplied with for a user, and N."""

    trust: float
    together: float

    @classmethod
    def of(cls, weights: Floats, normalisation: Normalisation) -> "Shares":
        """Of a user whose items have these weights."""
        size = float(np.square(weights, dtype=np.float64).sum())
        trust = trust_in(size, normalisation.half_size)
        whole, short = normalisation.together_whole, normalisation.together_short
        return cls(trust, trust * whole + (1 - trust) * short)


class Behaviour:
    """R and N added up. Items appended after training have no row in them, and a column that they borrow."""

    def __init__(self, weights: Weights) -> None:
        rows, right = weights.behaviour_rows, weights.behaviour_right
        widen = rows is not None and rows.size <= WIDEN_UP_TO
        self._rows = rows.astype(np.float32) if rows is not None and widen else rows
        self._left, self._diagonal = weights.behaviour_left, weights.behaviour_diagonal
        self._right = None if right is None else right.astype(np.float32)
        self._size = len(weights.bias)
        parts = weights.behaviour_data, weights.behaviour_indices, weights.behaviour_indptr
        self._sparse = _Sparse.of(*parts, size=self._size)
        parts = weights.together_data, weights.together_indices, weights.together_indptr
        self._together = _Sparse.of(*parts, size=self._size)
        self._items, self._place = weights.behaviour_items, np.full(self._size, -1, np.int64)
        if self._items is not None:
            self._place[self._items] = np.arange(len(self._items))
        self._borrowed: tuple[Borrowed, ...] = ()

    def lending(self, borrowed: Sequence[Borrowed]) -> "Behaviour":
        """The same with one more item per entry, each with that sum of trained items' columns."""
        grown = copy(self)
        grown._borrowed = (*self._borrowed, *borrowed)
        return grown

    def of_user(self, rows: Rows, amounts: Floats, num_items: int, shares: Shares) -> Floats:
        """(num_items,) Σ_h amount_h (trust · R_h + together · N_h)."""
        part = np.zeros(num_items, np.float32)
        known = rows < self._size
        rows, amounts = rows[known], amounts[known]
        trusted = amounts * np.float32(shares.trust)
        if self._sparse is not None:
            part[: self._size] = self._sparse.sum_of(rows, trusted)
        elif self._rows is not None:
            part[: self._size] = trusted @ self._rows[rows]
        elif self._left is not None and self._right is not None and self._diagonal is not None:
            places, kept = self._places(rows)
            trusted = trusted[kept]
            part[self._items] = self._right @ (trusted @ self._left[places].astype(np.float32))
            part[rows[kept]] -= trusted * self._diagonal[places]
        if self._together is not None and shares.together:
            part[: self._size] += self._together.sum_of(rows, amounts * np.float32(shares.together))
        for place, borrowed in enumerate(self._borrowed):
            part[self._size + place] = borrowed.weights @ part[borrowed.rows]
        return part

    def terms(self, rows: Rows, item_row: int, shares: Shares) -> Floats:
        """(h,) trust · R_hi + together · N_hi of item i = item_row."""
        if item_row >= self._size:
            return self._borrowed_terms(rows, item_row - self._size, shares)
        terms = np.zeros(len(rows), np.float32)
        known = np.flatnonzero((rows < self._size) & (rows != item_row))
        if self._sparse is not None:
            terms[known] = self._sparse.column(rows[known], item_row)
        elif self._rows is not None:
            terms[known] = self._rows[rows[known], item_row]
        elif self._left is not None and self._right is not None and self._place[item_row] >= 0:
            places, kept = self._places(rows[known])
            terms[known[kept]] = self._left[places].astype(np.float32) @ self._right[self._place[item_row]]
        terms *= np.float32(shares.trust)
        if self._together is not None and shares.together:
            terms[known] += self._together.column(rows[known], item_row) * np.float32(shares.together)
        return terms

    def _places(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where the factors hold the rows, of those that they hold, and (h,) which these are."""
        places = self._place[rows]
        return places[places >= 0], places >= 0

    def _borrowed_terms(self, rows: Rows, place: int, shares: Shares) -> Floats:
        terms = np.zeros(len(rows), np.float32)
        if place < len(self._borrowed):
            borrowed = self._borrowed[place]
            for row, weight in zip(borrowed.rows.tolist(), borrowed.weights, strict=True):
                terms += weight * self.terms(rows, row, shares)
        return terms


@dataclass(frozen=True)
class _Sparse:
    """A matrix (I, I) by rows, for sums, and by columns, for single terms."""

    by_rows: sp.csr_array
    by_columns: sp.csc_array

    @classmethod
    def of(
        cls, data: NDArray[np.float16] | None, indices: Rows | None, indptr: NDArray[np.int64] | None, *, size: int
    ) -> "_Sparse | None":
        if data is None or indices is None or indptr is None:
            return None
        matrix = sp.csr_array((data.astype(np.float32), indices, indptr), shape=(size, size))
        columns = sp.csc_array(matrix)
        columns.sort_indices()
        return cls(matrix, columns)

    def sum_of(self, rows: Rows, amounts: Floats) -> Floats:
        """(I,) Σ_h amount_h · row h."""
        return np.asarray(amounts @ self.by_rows[rows], np.float32)

    def column(self, rows: Rows, item_row: int) -> Floats:
        """(h,) the entries of these rows in one column."""
        begin, end = self.by_columns.indptr[item_row : item_row + 2]
        held, values = self.by_columns.indices[begin:end], self.by_columns.data[begin:end]
        if begin == end:
            return np.zeros(len(rows), np.float32)
        places = np.minimum(np.searchsorted(held, rows), len(held) - 1)
        return np.where(held[places] == rows, values[places], np.float32(0))
