"""iALS, the matrix factorisation of implicit feedback, by the package `implicit`.

Users' vectors are solved from their items at scoring time, so a score splits exactly by item.
Source: Hu, Koren & Volinsky, ICDM 2008; Rendle et al., RecSys 2022, for how it is tuned.
"""

import os
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.progress import Progress
from domain.snapshot import Snapshot, Text
from embeddings.scorers.contract import Floats, Settings, Users, history_matrix, item_parts, training_matrix


@dataclass(frozen=True)
class Factors:
    """rows (U, I) confidences c of what the user took; items Y (I, f), gram YᵀY; ridge λ; alpha: c / weight."""

    item_ids: Text
    rows: sp.csr_array
    items: Floats
    gram: NDArray[np.float64]
    ridge: float
    alpha: float

    def score(self, user_rows: Users) -> Floats:
        vectors = np.stack([self._solve(int(row)) for row in user_rows]) if len(user_rows) else np.zeros((0, 1))
        return np.asarray(vectors @ self.items.T, np.float32).reshape(len(user_rows), len(self.items))

    def fold_in(self, snapshot: Snapshot) -> "Factors":
        return replace(self, rows=history_matrix(snapshot) * np.float32(self.alpha))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        """c_h y_iᵀ A⁻¹ y_h for each item h of the user; A as below."""
        own = sp.csr_array(self.rows[[user_row]])
        mapped = np.linalg.solve(self._normal(own), self.items[item_row].astype(np.float64))
        return item_parts(self.item_ids, own.indices, own.data * (self.items[own.indices] @ mapped))

    def _solve(self, user_row: int) -> Floats:
        """A⁻¹ Σ_h c_h y_h."""
        own = sp.csr_array(self.rows[[user_row]])
        wanted = own.data @ self.items[own.indices].astype(np.float64)
        return np.linalg.solve(self._normal(own), wanted).astype(np.float32)

    def _normal(self, own: sp.csr_array) -> Any:
        """A (f, f) = YᵀY + Σ_h (c_h − 1) y_h y_hᵀ + λI."""
        taken = self.items[own.indices].astype(np.float64)
        return self.gram + (taken.T * (own.data - 1)) @ taken + self.ridge * np.eye(len(self.gram))


def fit_ials(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> Factors:
    """factors, ridge, alpha (what the weights are multiplied with to be confidences) and iterations."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of BLAS threads, which are not ours to set here
        from implicit.als import AlternatingLeastSquares

        rows = sp.csr_array(training_matrix(snapshot) * np.float32(settings["alpha"]))
        iterations = int(settings["iterations"])
        model = AlternatingLeastSquares(
            factors=int(settings["factors"]),
            regularization=float(settings["ridge"]),
            alpha=1.0,
            iterations=iterations,
            num_threads=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
            random_state=seed,
        )
        with progress.step("iALS", iterations) as advance:

            def after(*_: object) -> None:
                advance(1)

            model.fit(sp.csr_matrix(rows), show_progress=False, callback=after)
    items = np.array(model.item_factors, np.float32)
    gram = items.T.astype(np.float64) @ items
    return Factors(snapshot.item_ids, rows, items, gram, float(settings["ridge"]), float(settings["alpha"]))
