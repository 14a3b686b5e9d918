"""The two halves of the served model, each alone: the encoder and the item-item model around the graph. Needs torch."""

from dataclasses import dataclass, replace

import msgspec
import numpy as np
import scipy.sparse as sp

from domain.progress import Progress
from domain.snapshot import Snapshot, Text
from embeddings.encoded import Encoded
from embeddings.fit_linear import Linear
from embeddings.fitting import Fitting
from embeddings.holdout import matrix_of, pairs_of
from embeddings.scorers.contract import Floats, Settings, Users, history_matrix, item_parts, training_matrix, width_of
from embeddings.settings import EncoderSettings, LinearSettings, TrainSettings


@dataclass(frozen=True)
class EncoderScores:
    """x̂ C Qᵀ + b with x̂ the user's weights (U, I) at length 1."""

    item_ids: Text
    rows: sp.csr_array
    encoded: Encoded

    def score(self, user_rows: Users) -> Floats:
        users = self.encoded.users(sp.csr_array(self.rows[user_rows]))
        return np.asarray(users @ self.encoded.targets.T + self.encoded.bias, np.float32)

    def fold_in(self, snapshot: Snapshot) -> "EncoderScores":
        return replace(self, rows=unit_histories(snapshot))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        own = sp.csr_array(self.rows[[user_row]])
        terms = self.encoded.context[own.indices] @ self.encoded.targets[item_row]
        values = own.data * self.encoded.scale(own)[0] * terms
        return {**item_parts(self.item_ids, own.indices, values), "popularity": float(self.encoded.bias[item_row])}


def fit_encoder_scores(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> EncoderScores:
    """The encoder over items and entities, softmax over items.

    Settings: those of EncoderSettings that are named; temperature 0 is none, for inner products in place of cosines.
    """
    training_matrix(snapshot)
    chosen = msgspec.structs.replace(EncoderSettings(), **settings)
    if not chosen.temperature:
        chosen = msgspec.structs.replace(chosen, temperature=None)
    pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=None)
    settings_of_all = TrainSettings(encoder=chosen)
    fitting = Fitting.of(snapshot, seed, progress)
    encoded = fitting.encode(pairs, matrix_of(pairs, snapshot), settings_of_all, "Encoder")
    return EncoderScores(snapshot.item_ids, unit_histories(snapshot), encoded)


def unit_histories(snapshot: Snapshot) -> sp.csr_array:
    """(U, I) what each user took, at length 1."""
    matrix = history_matrix(snapshot)
    sizes = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(np.divide(1, sizes, out=np.zeros_like(sizes), where=sizes > 0)) @ matrix)


@dataclass(frozen=True)
class PriorScores:
    """x (B0 + R), rows (U, I)."""

    item_ids: Text
    rows: sp.csr_array
    linear: Linear

    def score(self, user_rows: Users) -> Floats:
        return self.linear.scores(sp.csr_array(self.rows[user_rows]))

    def fold_in(self, snapshot: Snapshot) -> "PriorScores":
        return replace(self, rows=history_matrix(snapshot))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        own = sp.csr_array(self.rows[[user_row]])
        each = sp.csr_array((own.data, (np.arange(own.nnz), own.indices)), shape=(own.nnz, width_of(self.rows)))
        return item_parts(self.item_ids, own.indices, self.linear.scores(each)[:, item_row])


def fit_prior_scores(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> PriorScores:
    """The item-item model around the graph prior. ridge: λ as a multiple; prior_scale: what θ is multiplied with."""
    named = {name: value for name, value in settings.items() if name != "ridge"}
    chosen = msgspec.structs.replace(LinearSettings(), **named)
    pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=None)
    matrix = training_matrix(snapshot)
    with progress.step("Item-item model around the graph", 1) as advance:
        linear = Fitting.of(snapshot, seed, progress).pose(pairs, matrix, chosen).solve(float(settings["ridge"]))
        advance(1)
    return PriorScores(snapshot.item_ids, matrix, linear)
