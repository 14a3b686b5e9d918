"""What the bench asks of a scorer: fit it on a snapshot, score all items, and say what a score is made of.

No torch here: whoever searches and ranks reads only this module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.errors import InvalidRequest, NothingToTrain
from domain.progress import Progress
from domain.snapshot import Snapshot, Text
from embeddings.holdout import matrix_of, pairs_of

Floats = NDArray[np.float32]
Users = NDArray[np.int64]
Value = float | int | str | bool
Settings = Mapping[str, Value]


class Fitted(Protocol):
    """A model of one snapshot. Rows are those of the snapshot."""

    def score(self, user_rows: Users) -> Floats:
        """(b, I) scores of all items, higher is better. A user without events gets finite scores too."""
        ...

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        """Named parts that sum to the score: "item:<id>" for one of the user's items, and words for the rest."""
        ...


@runtime_checkable
class Foldable(Protocol):
    """A model that scores users it was not trained on, by their events alone."""

    def fold_in(self, snapshot: Snapshot) -> Fitted:
        """The same model for the users and events of another snapshot of the same items and graph."""
        ...


Fit = Callable[[Snapshot, Settings, int, Progress], Fitted]


@dataclass(frozen=True)
class ScorerKind:
    """A scorer by name. grid: the values that the search may set, each with its default first.

    fit: (snapshot, settings, seed, progress); equal arguments give equal scores.
    """

    name: str
    description: str
    grid: Mapping[str, tuple[Value, ...]]
    fit: Fit

    def defaults(self) -> dict[str, Value]:
        return {name: values[0] for name, values in self.grid.items()}


def training_matrix(snapshot: Snapshot) -> sp.csr_array:
    """As history_matrix. Raises: NothingToTrain when nobody took anything."""
    matrix = history_matrix(snapshot)
    if matrix.nnz == 0:
        raise NothingToTrain("no event of the training part counts for a taste; give a file with interactions")
    return matrix


def history_matrix(snapshot: Snapshot) -> sp.csr_array:
    """(U, I) float32 weights of what each user took, those above 0 only."""
    coo = matrix_of(pairs_of(snapshot, snapshot.interactions, half_life_days=None), snapshot).tocoo()
    kept = coo.data > 0
    return sp.csr_array((coo.data[kept].astype(np.float32), (coo.row[kept], coo.col[kept])), shape=coo.shape)


def refuse_many_items(name: str, num_items: int, most: int) -> None:
    """Raises: InvalidRequest where an items x items matrix would not fit."""
    if num_items > most:
        raise InvalidRequest(
            f"{name} keeps a matrix of items x items: {num_items:,} items need {num_items**2 * 8 / 2**30:.0f} GiB, and "
            f"{most:,} items are the most it takes; use another --scorer (fused has no such limit)",
            field="scorer",
        )


@dataclass(frozen=True)
class ItemItem:
    """Scores X W: rows X (U, I); weights W (I, I) dense or sparse."""

    item_ids: Text
    rows: sp.csr_array
    weights: Floats | sp.csr_array

    def score(self, user_rows: Users) -> Floats:
        return dense(self.rows[user_rows] @ self.weights)

    def fold_in(self, snapshot: Snapshot) -> "ItemItem":
        return replace(self, rows=history_matrix(snapshot))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        own = sp.csr_array(self.rows[[user_row]])
        column = dense(self.weights[:, [item_row]]).ravel()
        return item_parts(self.item_ids, own.indices, own.data * column[own.indices])


def width_of(matrix: sp.csr_array) -> int:
    """m of an (n, m) matrix."""
    return int(cast(tuple[int, int], matrix.shape)[1])


def dense(matrix: Any) -> Floats:
    """The same numbers as float32, whether they were held sparsely or not."""
    return np.asarray(matrix.toarray() if sp.issparse(matrix) else matrix, np.float32)


def item_parts(item_ids: Text, item_rows: NDArray[np.integer], values: NDArray[Any]) -> dict[str, float]:
    """The parts of a score by the user's items."""
    return {f"item:{item_ids[row]}": float(value) for row, value in zip(item_rows, values, strict=True)}
