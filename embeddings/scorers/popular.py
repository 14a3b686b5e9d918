"""What many took, and what many took lately: the same for everyone."""

from dataclasses import dataclass

import numpy as np

from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.holdout import pairs_of
from embeddings.popularity import recent_takers, takers
from embeddings.scorers.contract import Floats, Settings, Users, training_matrix


@dataclass(frozen=True)
class Popular:
    """counts (I,) float32."""

    counts: Floats

    def score(self, user_rows: Users) -> Floats:
        return np.tile(self.counts, (len(user_rows), 1))

    def fold_in(self, snapshot: Snapshot) -> "Popular":  # noqa: ARG002
        return self

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:  # noqa: ARG002
        return {"popularity": float(self.counts[item_row])}


def fit_popular(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> Popular:  # noqa: ARG001
    """The number of users who took an item. days: only those whose newest event with it is so recent; 0 for all."""
    training_matrix(snapshot)
    pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=None)
    days, num_items = float(settings["days"]), len(snapshot.item_ids)
    counts = recent_takers(pairs, num_items, days) if days else takers(pairs, num_items)
    return Popular(counts.astype(np.float32))
