"""The item-item linear model around a graph prior: B = B0 + R, both with a zero diagonal. NumPy and SciPy only.

B0 = Σ_r θ_r S_r comes from shared entities (embeddings.features); θ ≥ 0 by non-negative least squares.
R is what ridge regression adds to it: with P = (G + λI)⁻¹, W = I − λP, Q = W (I − B0), g = diag Q / diag P,
R = Q − P diag(g). When users are fewer than items W = Xᵀ K X with K = (X Xᵀ + λI)⁻¹, and R is a product.
Source: Steck, WWW 2019, with a prior in place of zero.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.sparse as sp
from numpy.typing import NDArray

from embeddings.features import Features, Floats

Doubles = NDArray[np.float64]

SPARSE_BELOW = 0.1  # of the entries: then the sparse product is the faster one
OVERSAMPLED, ITERATIONS = 16, 2  # of the subspace iteration that truncates R
BLOCK = 256  # users at a time: a matrix of all is of the size of X, whole


@dataclass(frozen=True)
class LowRank:
    """R = left · rightᵀ − diag(diagonal); left, right (I, r) float32, diagonal (I,) float32."""

    left: Floats
    right: Floats
    diagonal: Floats


def prior_weights(gram: Doubles, features: Features, num_relations: int) -> Floats:
    """(R,) θ ≥ 0 that minimises ‖X − X Σ_r θ_r S_r‖² where gram = XᵀX (I, I) and every S_r has a zero diagonal."""
    present = np.unique(features.relations)
    similar = [_similarity(features, int(relation)) for relation in present]
    normal = np.zeros((len(similar), len(similar)))
    for column, matrix in enumerate(similar):
        mapped = gram @ matrix
        normal[:, column] = [_inner(other, mapped) for other in similar]
    wanted = np.array([_inner(matrix, gram) for matrix in similar])
    return _solve_weights(normal, wanted, present, num_relations)


def _inner(similar: Doubles | sp.csr_array, dense: Doubles) -> float:
    """Σ_hi similar_hi · dense_hi."""
    if not isinstance(similar, sp.csr_array):
        return float(np.vdot(similar, dense))
    rows = np.repeat(np.arange(len(dense)), np.diff(similar.indptr))
    return float(np.dot(similar.data, dense[rows, similar.indices]))


def prior_weights_of_rows(matrix: sp.csr_array, features: Features, num_relations: int, *, rank: int = 256) -> Floats:
    """As prior_weights, from X (U, I) itself and without an (I, I) matrix.

    X is replaced by Ω X with a random (rank, U) Ω of a fixed seed, which keeps the inner products that the normal
    equations need within a few percent.
    """
    rng = np.random.default_rng(0)
    sketch = rng.standard_normal((rank, len(matrix.indptr) - 1), dtype=np.float32) / np.float32(np.sqrt(rank))
    data = np.ascontiguousarray((matrix.T @ sketch.T).T)
    present = np.unique(features.relations)
    mapped: list[Floats] = []
    for relation in present:
        normalised = features.normalised(int(relation))
        own = np.asarray(normalised.multiply(normalised).sum(axis=1)).ravel()
        mapped.append((normalised @ (normalised.T @ data.T)).T - data * own)
    normal = np.array([[np.vdot(a, b) for b in mapped] for a in mapped], dtype=np.float64)
    wanted = np.array([np.vdot(data, a) for a in mapped], dtype=np.float64)
    return _solve_weights(normal, wanted, present, num_relations)


def _solve_weights(normal: Doubles, wanted: Doubles, present: NDArray[np.int16], num_relations: int) -> Floats:
    """min θᵀ N θ − 2 wᵀ θ over θ ≥ 0, as least squares through the Cholesky factor of N."""
    weights = np.zeros(num_relations, np.float32)
    if len(present):
        ridge = 1e-8 * max(float(np.trace(normal)), 1e-12) * np.eye(len(present))
        factor = scipy.linalg.cholesky(normal + ridge, lower=True)
        solution, _ = scipy.optimize.nnls(factor.T, scipy.linalg.solve_triangular(factor, wanted, lower=True))
        weights[present] = solution
    return weights


def residual(gram: Doubles, prior: Doubles, ridge: float) -> Doubles:
    """R (I, I) for the Gram matrix G (I, I), the prior B0 (I, I) and λ = ridge. Its diagonal is 0."""
    inverse = _inverse(gram, ridge)
    fitted = -ridge * inverse
    fitted[np.diag_indices_from(fitted)] += 1  # W = I − λP
    fitted -= fitted @ prior  # Q = W (I − B0)
    fitted -= inverse * (np.diag(fitted) / np.diag(inverse))
    np.fill_diagonal(fitted, 0)
    return fitted


def residual_of_rows(matrix: sp.csr_array, prior: sp.csr_array, ridge: float, *, rank: int) -> LowRank:
    """R for X (U, I) with fewer users than items; prior is F with B0 = F Fᵀ − diag(F Fᵀ).

    Exact for rank >= U. Below, the best R of that rank for predicting X: right = the first right singular vectors of
    X R, left = R right, before the diagonal is taken off again.
    """
    inner = (matrix @ matrix.T).toarray().astype(np.float64)
    kernel = _inverse(inner, ridge).astype(np.float32)
    rows = np.ascontiguousarray((matrix.T @ kernel).T)  # K X, (U, I)
    held = np.asarray(matrix.multiply(rows).sum(axis=0)).ravel()  # diag W
    own = np.asarray(prior.multiply(prior).sum(axis=1)).ravel()
    after = rows * (1 + own)
    for start in range(0, len(after), BLOCK):
        block = slice(start, start + BLOCK)
        after[block] -= (prior @ (prior.T @ rows[block].T)).T  # K X (I − B0)
    shift = np.asarray(matrix.multiply(after).sum(axis=0)).ravel() / (1 - held)  # g / λ
    rows *= shift
    after += rows  # M, with R = Xᵀ M − diag(g / λ)
    del rows
    if rank >= len(inner):
        left, right = matrix.T.toarray().astype(np.float32), np.ascontiguousarray(after.T)
    else:
        left, right = _truncate(matrix, inner.astype(np.float32), after, rank)
    return LowRank(left, right, np.einsum("ir,ir->i", left, right))


def _truncate(matrix: sp.csr_array, inner: Floats, after: Floats, rank: int) -> tuple[Floats, Floats]:
    """The rank-r form of Xᵀ M (I, I) that is nearest in the metric of X: right = V, left = Xᵀ M V.

    V: the first right singular vectors of X Xᵀ M, by subspace iteration from a random start of a fixed seed.
    Source: Halko, Martinsson & Tropp, SIAM Review 2011, algorithm 4.4.
    """
    width = min(rank + OVERSAMPLED, len(inner))
    start = np.random.default_rng(0).standard_normal((len(inner), width), dtype=np.float32)
    basis = after.T @ (inner @ start)
    for _ in range(ITERATIONS):
        basis = after.T @ (inner @ (inner @ (after @ _spanning(basis))))
    basis = np.asarray(scipy.linalg.qr(basis, overwrite_a=True, mode="economic", check_finite=False)[0], np.float32)
    seen = inner @ (after @ basis)
    _, vectors = scipy.linalg.eigh((seen.T @ seen).astype(np.float64))
    right = np.ascontiguousarray(basis @ vectors[:, ::-1][:, :rank].astype(np.float32))
    return np.asarray(matrix.T @ (after @ right)), right


def _spanning(columns: NDArray[np.floating]) -> Floats:
    """Well-conditioned columns of the same span: L of their LU factorisation, a third of the work of Q of QR."""
    return np.asarray(scipy.linalg.lu(columns, permute_l=True, overwrite_a=True, check_finite=False)[0], np.float32)


def dense_prior(scaled: sp.csr_array) -> Doubles:
    """B0 (I, I) of F (I, K)."""
    return _zero_diagonal((scaled @ scaled.T).toarray().astype(np.float64))


def _similarity(features: Features, relation: int) -> Doubles | sp.csr_array:
    """S_r (I, I) with a zero diagonal; sparse where most of it is 0."""
    normalised = features.normalised(relation).astype(np.float64)
    product = sp.csr_array(normalised @ normalised.T)
    product.setdiag(0)
    size = len(product.indptr) - 1
    return product if product.nnz < SPARSE_BELOW * size * size else product.toarray()


def _zero_diagonal(matrix: Doubles) -> Doubles:
    np.fill_diagonal(matrix, 0)
    return matrix


def _inverse(symmetric: Doubles, ridge: float) -> Doubles:
    """(A + ridge I)⁻¹ of a positive semi-definite A, by Cholesky."""
    shifted = symmetric.astype(np.float64, copy=True)
    shifted[np.diag_indices_from(shifted)] += ridge
    factorise, invert = scipy.linalg.get_lapack_funcs(("potrf", "potri"), (shifted,))
    factor, _ = factorise(shifted, lower=1)
    inverse, _ = invert(factor, lower=1)
    return np.tril(inverse) + np.tril(inverse, -1).T
