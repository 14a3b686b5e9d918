"""What an item that nobody took borrows from those that were: kernel ridge regression on its features. NumPy and SciPy.

Two items are alike by the cosine k of their features, weighted by idf; features of a single item say nothing. A new
item's popularity and residual are m · those of its NEAREST items, with m = (K + RIDGE I)⁻¹ k over them.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from embeddings.features import Floats

NEAREST, RIDGE = 100, 1.0
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Borrowed:
    """rows (n,) of trained items, and the weight (n,) of each; empty for an item that is like none."""

    rows: Places
    weights: Floats


@dataclass(frozen=True)
class Alike:
    """unit (I, K): the items' features at length 1; weight (K,) of each; known (I,): whether anybody took the item."""

    unit: sp.csr_array
    weight: Floats
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, features: sp.csr_array, idf: Floats, known: NDArray[np.bool_]) -> "Alike":
        """features (I, K): the pattern counts, not the values."""
        counts = np.bincount(features.indices, minlength=len(idf))
        weight = np.where(counts > 1, np.sqrt(idf), 0).astype(np.float32)
        data = weight[features.indices]
        rows = np.repeat(np.arange(len(known)), np.diff(features.indptr))
        lengths = np.sqrt(np.bincount(rows, weights=data**2, minlength=len(known)))
        data = data / np.where(lengths > 0, lengths, 1)[rows].astype(np.float32)
        unit = sp.csr_array((data.astype(np.float32), features.indices, features.indptr), shape=features.shape)
        return cls(unit, weight, known)

    def borrow(self, columns: Places, *, but: int = -1) -> Borrowed:
        """What an item with these features borrows, from others than the row `but`."""
        own = np.zeros(len(self.weight), np.float32)
        own[columns] = self.weight[columns]
        length = float(np.linalg.norm(own))
        cosines = np.asarray(self.unit @ own, np.float32) / (length or 1.0)
        usable = self.known & (cosines > 0)
        if but >= 0:
            usable[but] = False
        rows = np.flatnonzero(usable).astype(np.int64)
        if len(rows) > NEAREST:
            rows = np.sort(rows[np.argpartition(-cosines[rows], NEAREST - 1)[:NEAREST]])
        near = sp.csr_array(self.unit[rows])
        kernel = (near @ near.T).toarray().astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += RIDGE
        if len(rows) == 0:
            return Borrowed(rows, np.zeros(0, np.float32))
        weights = scipy.linalg.solve(kernel, cosines[rows].astype(np.float64), assume_a="pos")
        return Borrowed(rows, weights.astype(np.float32))

    def of_row(self, row: int) -> Borrowed:
        """What the item of this row borrows from others."""
        own = slice(self.unit.indptr[row], self.unit.indptr[row + 1])
        return self.borrow(np.asarray(self.unit.indices[own], np.int64), but=row)
