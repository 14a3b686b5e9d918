"""What people newly take up, followed from the log: a model's trend without another training."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from embeddings.artifact import Artifact
from embeddings.popularity import trend
from embeddings.weights import Floats
from recommend.popularity import first_takers

EVERY = 256  # records of the log: all processes see the same trend, whatever they read at once


@dataclass(frozen=True)
class Trend:
    """new, ever (I,): people whom training saw take each item for the first time in the model's window, and ever.

    power: of the trend in the score.
    """

    new: NDArray[np.int64]
    ever: NDArray[np.int64]
    power: float

    @classmethod
    def of(cls, artifact: Artifact) -> Self | None:
        """None for a model in which the trend does not count."""
        fixed = artifact.manifest.normalisation
        if fixed.trend_power == 0:
            return None
        return cls(*first_takers(artifact.snapshot, fixed.trend_days), fixed.trend_power)

    def factors(self, ever: NDArray[np.int64]) -> Floats:
        """(I',) what the trained trend is multiplied with, now that so many people took each item, I' at least I.

        Who came since training is new: the window begins where the model's did, and ends now. 1 while nobody came.
        """
        new, before = (np.pad(each, (0, len(ever) - len(each))) for each in (self.new, self.ever))
        now = np.maximum(new + ever - before, 0)
        return ((trend(now, ever) / trend(new, before)) ** self.power).astype(np.float32)
