"""The part of the data that hyperparameters are chosen on, and how well a pair of fitted parts ranks it. NumPy only."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from embeddings.encoded import Encoded
from embeddings.features import Floats
from embeddings.fuse import Chosen, Components, Fusion, choose
from embeddings.holdout import Holdout, hold_out, matrix_of, pairs_of
from embeddings.popularity import trend_of
from embeddings.settings import TrainSettings
from embeddings.weighting import PairWeights

MOST_SCORES = 128_000_000  # entries of one component's score matrix on the validation part
Targets = Mapping[int, NDArray[np.int64]]  # user row -> item rows to find
UNCHOSEN = Chosen(Fusion(), 1.0, 1.0, -1.0, -1.0)


@dataclass(frozen=True)
class Validation:
    """fit: the pairs to train on, matrix (U, I) their weights. users (b,): rows of the users to rank for.

    rows (b, I): their weights; seen, targets (b, I): what they had, and ones for what they are to be given.
    trend (I,) as in embeddings.popularity. whole: whether fit is all of the data, so that its model may serve.
    """

    fit: PairWeights
    matrix: sp.csr_array
    users: NDArray[np.int64]
    rows: sp.csr_array
    seen: sp.csr_array
    targets: sp.csr_array
    trend: Floats
    whole: bool

    def parts(self, encoded: Encoded) -> Components:
        """The scores of an encoder for the validation users, with no linear part yet."""
        sizes = np.asarray(self.rows.multiply(self.rows).sum(axis=1), np.float32).ravel()
        taste = encoded.users(self.rows) @ encoded.targets.T
        nothing = np.zeros((0, 0), np.float32)
        return Components(nothing, taste, sizes, self.seen, self.targets, encoded.bias, self.trend)

    @property
    def num_items(self) -> int:
        return len(self.trend)

    def among(self, some: slice) -> "Validation":
        """With only some of its users, by their place in `users`."""
        return replace(
            self,
            users=self.users[some],
            rows=sp.csr_array(self.rows[some]),
            seen=sp.csr_array(self.seen[some]),
            targets=sp.csr_array(self.targets[some]),
        )

    def first(self, count: int, seed: int) -> sp.csr_array:
        """(b, I) as rows, of only the first items that each user took, in the order of their newest events.

        Items of the same moment come in an order that the seed fixes.
        """
        kept = np.flatnonzero((self.fit.weights != 0) & np.isin(self.fit.user_rows, self.users))
        users = np.searchsorted(self.users, self.fit.user_rows[kept])
        draws = np.random.default_rng(seed).random(len(kept))
        order = np.lexsort((draws, self.fit.at[kept], users))
        place = np.arange(len(order)) - np.searchsorted(users[order], users[order])
        chosen = order[place < count]
        pairs = (self.fit.weights[kept[chosen]], (users[chosen], self.fit.item_rows[kept[chosen]]))
        return sp.csr_array(pairs, shape=(len(self.users), self.num_items))

    def rank(self, parts: Components, linear: Floats) -> Chosen:
        """The best fusion of an encoder's scores with those of a linear model, (b, I)."""
        return choose(replace(parts, linear=linear))


def validation_of(snapshot: Snapshot, given: Targets | None, settings: TrainSettings, seed: int) -> Validation:
    """The given part (the snapshot is then trained on whole), or one cut from the snapshot's own events.

    Users of a given part without a history are left out: nothing is to be chosen by them.
    """
    held = _given(snapshot, given, settings) if given is not None else None
    held = held or hold_out(snapshot, seed=seed, half_life_days=settings.half_life_days)
    matrix = matrix_of(held.fit, snapshot)
    users = np.flatnonzero((np.diff(held.targets.indptr) > 0) & (np.diff(matrix.indptr) > 0))
    most = min(settings.most_validation_users, max(MOST_SCORES // len(snapshot.item_ids), 1))
    users = np.sort(np.random.default_rng(seed).permutation(users)[:most])
    pairs = (np.ones(len(held.fit), np.float32), (held.fit.user_rows, held.fit.item_rows))
    seen = sp.csr_array(pairs, shape=held.targets.shape)
    return Validation(
        fit=held.fit,
        matrix=matrix,
        users=users,
        rows=sp.csr_array(matrix[users]),
        seen=sp.csr_array(seen[users]),
        targets=sp.csr_array(held.targets[users]),
        trend=trend_of(held.fit, len(snapshot.item_ids), settings.recent_days),
        whole=given is not None,
    )


def _given(snapshot: Snapshot, targets: Targets, settings: TrainSettings) -> Holdout:
    fit = pairs_of(snapshot, snapshot.interactions, half_life_days=settings.half_life_days)
    users = np.repeat(list(targets), [len(rows) for rows in targets.values()]).astype(np.int64)
    items = np.concatenate([np.empty(0, np.int64), *targets.values()])
    shape = (len(snapshot.user_ids), len(snapshot.item_ids))
    return Holdout(fit, sp.csr_array((np.ones(len(items), np.float32), (users, items)), shape=shape))
