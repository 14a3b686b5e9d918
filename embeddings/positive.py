"""The residual of the item-item linear model without negative entries: few and positive. NumPy and SciPy only.

R_:j ≥ 0 minimises ‖x_j − X B0_j − X_N r‖² + λ ‖r‖² + 2 l ‖r‖₁ over the items N that X finds most like j (cosine).
With r ≥ 0 that is a non-negative least squares problem.
Source: Ning & Karypis, ICDM 2011 (SLIM and fsSLIM).
"""

import numpy as np
import scipy.linalg
import scipy.optimize

from embeddings.features import Floats
from embeddings.linear import Doubles

SPARSITY = 0.002  # l, as a multiple of the largest entry of the Gram matrix's diagonal


def positive_entries(gram: Doubles, wanted: Doubles, sparsity: float) -> Doubles:
    """(n,) r ≥ 0 that minimises rᵀ A r − 2 (w − l)ᵀ r, for A = gram (n, n), positive definite, and w = wanted (n,)."""
    if len(wanted) == 0:
        return np.zeros(0)
    factor = scipy.linalg.cholesky(gram, lower=True, check_finite=False)
    goal = scipy.linalg.solve_triangular(factor, wanted - sparsity, lower=True, check_finite=False)
    found, _ = scipy.optimize.nnls(factor.T, goal, maxiter=10 * len(wanted))
    return found


def positive_residual(gram: Doubles, prior: Doubles, ridge: float, sparsity: float, *, neighbours: int) -> Floats:
    """R (I, I) for the Gram matrix G (I, I), the prior B0 (I, I), λ = ridge and l = sparsity. Its diagonal is 0.

    At most `neighbours` entries per column.
    """
    left = gram - gram @ prior
    diagonal = np.diag(gram)
    inverse = np.divide(1, np.sqrt(diagonal), out=np.zeros_like(diagonal), where=diagonal > 0)
    residual = np.zeros(gram.shape, np.float32)
    for column in np.flatnonzero(diagonal).tolist():
        cosines = gram[:, column] * inverse
        cosines[column] = 0
        near = np.sort(np.argpartition(-cosines, min(neighbours, len(cosines)) - 1)[:neighbours])
        near = near[cosines[near] > 0]
        own = gram[np.ix_(near, near)]
        own[np.diag_indices_from(own)] += ridge
        residual[near, column] = positive_entries(own, left[near, column], sparsity)
    return residual
