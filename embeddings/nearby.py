"""The item-item linear model where neither items nor users are few: each item's residual over its nearest items.

As embeddings.linear, column by column: R_:j minimises ‖x_j − X B0_j − X_N r‖² + λ ‖r‖² over the items N that X
finds most like j (cosine), and is 0 elsewhere; so r = (G_NN + λ I)⁻¹ (G − G B0)_Nj. NumPy and SciPy only.
Source: Ning & Karypis, ICDM 2011 (fsSLIM), with ridge regression in place of the elastic net.
"""

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from embeddings.features import Floats
from embeddings.positive import positive_entries

BLOCK = 500  # columns whose products with all items are held at once
Places = NDArray[np.int64]


def residual_nearby(
    matrix: sp.csr_array, prior: sp.csr_array, ridge: float, *, neighbours: int, sparsity: float | None = None
) -> sp.csr_array:
    """R (I, I) float32 with at most `neighbours` entries per column and a zero diagonal.

    matrix: X (U, I). prior: F (I, K) with B0 = F Fᵀ − diag(F Fᵀ). With neighbours >= I − 1 it is exact.
    With a sparsity, the mean of that and of the one without negative entries (embeddings.positive).
    """
    items = sp.csr_array(matrix.T)
    num_items = len(items.indptr) - 1
    sizes = np.asarray(matrix.multiply(matrix).sum(axis=0), np.float32).ravel()
    inverse = np.divide(1, np.sqrt(sizes), out=np.zeros_like(sizes), where=sizes > 0)
    own = np.asarray(prior.multiply(prior).sum(axis=1), np.float32).ravel()
    rows: list[Places] = []
    values: list[Floats] = []
    for start in range(0, num_items, BLOCK):
        block = np.arange(start, min(start + BLOCK, num_items))
        taken = sp.csr_array(items[block].T)  # (U, b)
        together = sp.csc_array(items @ taken)
        left = _left_over(matrix, items, taken, prior, own, block)
        for place, column in enumerate(block.tolist()):
            near, wanted = _nearest(together, place, column, inverse, neighbours)
            rows.append(near)
            values.append(_solved(items, near, wanted if left is None else left[near, place], ridge, sparsity))
    indptr = np.append(0, np.cumsum([len(each) for each in rows]))
    parts = (np.concatenate(values), np.concatenate(rows), indptr)
    return sp.csr_array(sp.csc_array(parts, shape=(num_items, num_items)))


def _left_over(
    matrix: sp.csr_array, items: sp.csr_array, taken: sp.csr_array, prior: sp.csr_array, own: Floats, block: Places
) -> Floats | None:
    """(I, b) Xᵀ (X − X B0) of the block's columns; None where the prior says nothing: then it is Xᵀ X."""
    if not prior.data.any():
        return None
    part = sp.csr_array(prior[block])
    explained = np.asarray((sp.csr_array(matrix @ prior) @ part.T).toarray(), np.float32)
    explained -= taken.toarray() * own[block]
    return np.asarray(items @ (taken.toarray() - explained), np.float32)


def _nearest(
    together: sp.csc_array, place: int, column: int, inverse: Floats, neighbours: int
) -> tuple[Places, Floats]:
    """Ascending rows of the items most like this one, without itself, and the products of X with each."""
    kept = slice(together.indptr[place], together.indptr[place + 1])
    rows, products = together.indices[kept].astype(np.int64), np.asarray(together.data[kept], np.float32)
    cosines = np.where(rows == column, -1, products * inverse[rows])
    most = min(neighbours, int(np.count_nonzero(cosines >= 0)))
    best = np.argpartition(-cosines, most)[:most] if most < len(rows) else np.arange(most)
    order = best[np.argsort(rows[best])]
    return rows[order], products[order]


def _solved(items: sp.csr_array, near: Places, wanted: Floats, ridge: float, sparsity: float | None) -> Floats:
    if len(near) == 0:
        return np.zeros(0, np.float32)
    rows = sp.csr_array(items[near])
    gram = (rows @ rows.T).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += ridge
    goal = wanted.astype(np.float64)
    positive = None if sparsity is None else positive_entries(gram, goal, sparsity)
    factor = scipy.linalg.cho_factor(gram, lower=True, overwrite_a=True, check_finite=False)
    solved = scipy.linalg.cho_solve(factor, goal, check_finite=False)
    return np.asarray(solved if positive is None else (solved + positive) / 2, np.float32)
