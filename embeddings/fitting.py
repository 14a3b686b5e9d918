"""Fits either part of the model, the encoder or the linear one, to some of a snapshot's pairs. Needs torch."""

from collections.abc import Callable
from dataclasses import dataclass

import scipy.sparse as sp

from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.encoded import Encoded, side_by_side
from embeddings.features import Features, Floats, item_features
from embeddings.fit_encoder import fit_encoder
from embeddings.fit_linear import LinearProblem, pose
from embeddings.popularity import log_popularity
from embeddings.settings import LinearSettings, TrainSettings
from embeddings.weighting import PairWeights

APART = 1_000_003  # between the seeds of two copies


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
        """The encoder of the pairs, whose weights are matrix (U, I): the mean of its copies."""
        copies = settings.encoder.copies
        with self.progress.step(title, settings.encoder.steps * copies) as advance:
            return side_by_side([self._copy(pairs, matrix, settings, number, advance) for number in range(copies)])

    def more_copies(
        self, encoded: Encoded, pairs: PairWeights, matrix: sp.csr_array, settings: TrainSettings, title: str
    ) -> Encoded:
        """What `encode` makes, where its first copy is there already."""
        copies = settings.encoder.copies
        with self.progress.step(title, settings.encoder.steps * (copies - 1)) as advance:
            others = [self._copy(pairs, matrix, settings, number, advance) for number in range(1, copies)]
            return side_by_side([encoded, *others])

    def _copy(
        self,
        pairs: PairWeights,
        matrix: sp.csr_array,
        settings: TrainSettings,
        number: int,
        advance: Callable[[int], None],
    ) -> Encoded:
        first: Floats = log_popularity(pairs, len(self.snapshot.item_ids), settings.recent_days)
        return fit_encoder(
            matrix,
            self.features,
            len(self.snapshot.entity_ids),
            self.num_relations,
            first,
            settings.encoder,
            seed=self.seed + number * APART,
            advance=advance,
        )

    def pose(self, pairs: PairWeights, matrix: sp.csr_array, settings: LinearSettings) -> LinearProblem:
        """The linear model's problem for the same pairs, to be solved for any λ."""
        return pose(pairs, matrix, self.features, self.num_relations, settings)

    @property
    def num_relations(self) -> int:
        return len(self.snapshot.declaration.relation_types)
