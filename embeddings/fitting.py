"""Fits either part of the model, the encoder or the linear one, to some of a snapshot's pairs. Needs torch."""

from dataclasses import dataclass

import scipy.sparse as sp

from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.encoded import Encoded
from embeddings.features import Features, Floats, item_features
from embeddings.fit_encoder import fit_encoder
from embeddings.fit_linear import LinearProblem, pose
from embeddings.popularity import log_popularity
from embeddings.settings import LinearSettings, TrainSettings
from embeddings.weighting import PairWeights


@dataclass(frozen=True)
class Fitting:
    """A snapshot with its items' features, and the seed and progress of every fit."""

    snapshot: Snapshot
    features: Features
    seed: int
    progress: Progress

    @classmethod
    def of(cls, snapshot: Snapshot, seed: int, progress: Progress) -> "Fitting":
        return cls(snapshot, item_features(snapshot), seed, progress)

    def encode(self, pairs: PairWeights, matrix: sp.csr_array, settings: TrainSettings, title: str) -> Encoded:
        """The encoder of the pairs, whose weights are matrix (U, I)."""
        first: Floats = log_popularity(pairs, len(self.snapshot.item_ids), settings.recent_days)
        with self.progress.step(title, settings.encoder.steps) as advance:
            return fit_encoder(
                matrix,
                self.features,
                len(self.snapshot.entity_ids),
                self.num_relations,
                first,
                settings.encoder,
                seed=self.seed,
                advance=advance,
            )

    def pose(self, pairs: PairWeights, matrix: sp.csr_array, settings: LinearSettings) -> LinearProblem:
        """The linear model's problem for the same pairs, to be solved for any λ."""
        return pose(pairs, matrix, self.features, self.num_relations, settings)

    @property
    def num_relations(self) -> int:
        return len(self.snapshot.declaration.relation_types)
