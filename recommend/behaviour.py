"""The residual R of the linear model, as it is served: whole rows, a product without its diagonal, or sparse."""

from collections.abc import Sequence
from copy import copy

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Rows
from embeddings.alike import Borrowed
from embeddings.weights import Floats, Weights

WIDEN_UP_TO = 1 << 26  # entries of behaviour rows that are kept as float32: twice as fast, up to 256 MiB


class Behaviour:
    """R, whole, a product or sparse. Items appended after training have no row in it, and a column that they borrow."""

    def __init__(self, weights: Weights) -> None:
        rows, right = weights.behaviour_rows, weights.behaviour_right
        widen = rows is not None and rows.size <= WIDEN_UP_TO
        self._rows = rows.astype(np.float32) if rows is not None and widen else rows
        self._left, self._diagonal = weights.behaviour_left, weights.behaviour_diagonal
        self._right = None if right is None else right.astype(np.float32)
        self._sparse = _sparse(weights)
        self._size = len(weights.bias)
        self._items, self._place = weights.behaviour_items, np.full(self._size, -1, np.int64)
        if self._items is not None:
            self._place[self._items] = np.arange(len(self._items))
        self._borrowed: tuple[Borrowed, ...] = ()

    def lending(self, borrowed: Sequence[Borrowed]) -> "Behaviour":
        """The same with one more item per entry, each with that sum of trained items' columns."""
        grown = copy(self)
        grown._borrowed = (*self._borrowed, *borrowed)
        return grown

    def of_user(self, rows: Rows, amounts: Floats, num_items: int) -> Floats:
        """(num_items,) Σ_h amount_h R_h."""
        part = np.zeros(num_items, np.float32)
        known = rows < self._size
        rows, amounts = rows[known], amounts[known]
        if self._sparse is not None:
            part[: self._size] = amounts @ self._sparse[rows]
        elif self._rows is not None:
            part[: self._size] = amounts @ self._rows[rows]
        elif self._left is not None and self._right is not None and self._diagonal is not None:
            places, kept = self._places(rows)
            amounts = amounts[kept]
            part[self._items] = self._right @ (amounts @ self._left[places].astype(np.float32))
            part[rows[kept]] -= amounts * self._diagonal[places]
        for place, borrowed in enumerate(self._borrowed):
            part[self._size + place] = borrowed.weights @ part[borrowed.rows]
        return part

    def terms(self, rows: Rows, item_row: int) -> Floats:
        """(h,) R_hi of item i = item_row."""
        if item_row >= self._size:
            return self._borrowed_terms(rows, item_row - self._size)
        terms = np.zeros(len(rows), np.float32)
        known = np.flatnonzero((rows < self._size) & (rows != item_row))
        if self._sparse is not None:
            terms[known] = self._sparse[rows[known]][:, [item_row]].toarray().ravel()
        elif self._rows is not None:
            terms[known] = self._rows[rows[known], item_row]
        elif self._left is not None and self._right is not None and self._place[item_row] >= 0:
            places, kept = self._places(rows[known])
            terms[known[kept]] = self._left[places].astype(np.float32) @ self._right[self._place[item_row]]
        return terms

    def _places(self, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where the factors hold the rows, of those that they hold, and (h,) which these are."""
        places = self._place[rows]
        return places[places >= 0], places >= 0

    def _borrowed_terms(self, rows: Rows, place: int) -> Floats:
        terms = np.zeros(len(rows), np.float32)
        if place < len(self._borrowed):
            borrowed = self._borrowed[place]
            for row, weight in zip(borrowed.rows.tolist(), borrowed.weights, strict=True):
                terms += weight * self.terms(rows, row)
        return terms


def _sparse(weights: Weights) -> sp.csr_array | None:
    if weights.behaviour_data is None or weights.behaviour_indices is None or weights.behaviour_indptr is None:
        return None
    parts = (weights.behaviour_data.astype(np.float32), weights.behaviour_indices, weights.behaviour_indptr)
    return sp.csr_array(parts, shape=(len(weights.bias), len(weights.bias)))
