"""All users of a snapshot: how active they are, and their vectors, composed once per model from what they did."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from embeddings.weighting import weigh_pairs
from recommend.score import Scorer


@dataclass(frozen=True)
class People:
    """scorer: None without a model, and then there are no vectors."""

    snapshot: Snapshot
    scorer: Scorer | None

    @cached_property
    def activity(self) -> NDArray[np.int64]:
        """(U,) how many events each user has."""
        return np.bincount(self.snapshot.interactions.user_rows, minlength=len(self.snapshot.user_ids))

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """(U, d) unit length, row u as Scorer.user_vector would give it; 0 for users without events that count."""
        if self.scorer is None:
            return np.zeros((len(self.snapshot.user_ids), 0), np.float32)
        events, days = self.snapshot.interactions, self.scorer.normalisation.half_life_days
        columns = (events.user_rows, events.item_rows, events.kinds, events.values, events.at)
        pairs = weigh_pairs(self.snapshot.declaration, *columns, half_life_days=days)
        shape = (len(self.snapshot.user_ids), len(self.snapshot.item_ids))
        weights = sp.csr_array((pairs.weights, (pairs.user_rows, pairs.item_rows)), shape=shape)
        composed = np.asarray(weights @ self.scorer.weights.taste_context.astype(np.float32), np.float32)
        lengths = np.linalg.norm(composed, axis=1, keepdims=True)
        return (composed / np.where(lengths > 0, lengths, 1)).astype(np.float32)
