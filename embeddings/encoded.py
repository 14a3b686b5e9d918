"""What the encoder learned, as arrays: what crosses from torch to everything else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from embeddings.features import Floats


@dataclass(frozen=True)
class Encoded:
    """I items, E entities, K features, R relation types, d dimensions in c blocks of one length, one for each copy.

    context, targets (I, d): C and Q. entity_context, entity_targets (E, d): the messages H.
    from_entities_context, from_entities_targets (R, c): the relation scalars of each block. bias (I,). degrees (K,):
    items per feature.
    target_length: what every row of Q was brought to, and users to 1, where scores are cosines; else 0.
    """

    context: Floats
    targets: Floats
    entity_context: Floats
    entity_targets: Floats
    from_entities_context: Floats
    from_entities_targets: Floats
    bias: Floats
    degrees: Floats
    loss: float
    target_length: float = 0.0

    def users(self, weights: sp.csr_array) -> Floats:
        """(b, d): the vectors of users with these weights (b, I)."""
        return np.asarray((weights @ self.context) * self.scale(weights)[:, None], np.float32)

    def scale(self, weights: sp.csr_array) -> Floats:
        """(b,) what brings the users' weights (b, I) to length 1, or where scores are cosines, their sums of C."""
        if self.target_length:
            sizes = np.linalg.norm(weights @ self.context, axis=1)
        else:
            sizes = np.sqrt(np.asarray(weights.multiply(weights).sum(axis=1))).ravel()
        return np.divide(1, sizes, out=np.zeros_like(sizes), where=sizes > 0).astype(np.float32)


def side_by_side(copies: Sequence[Encoded]) -> Encoded:
    """One encoder whose scores are the mean of the copies' scores: their dimensions stand side by side.

    Where scores are cosines, a copy counts for a user by the length of what it composes the user of.
    Source: averaging what chance made differently, Breiman, Machine Learning 1996.
    """
    if len(copies) == 1:
        return copies[0]
    first, number = copies[0], len(copies)
    share = np.float32(1 / np.sqrt(number))

    def joined(name: str) -> Floats:
        return np.concatenate([getattr(copy, name) for copy in copies], axis=1)

    return Encoded(
        context=joined("context") * share,
        targets=joined("targets") * share,
        entity_context=joined("entity_context") * share,
        entity_targets=joined("entity_targets") * share,
        from_entities_context=joined("from_entities_context"),
        from_entities_targets=joined("from_entities_targets"),
        bias=np.asarray(np.mean([copy.bias for copy in copies], axis=0), np.float32),
        degrees=first.degrees,
        loss=float(np.mean([copy.loss for copy in copies])),
        target_length=first.target_length,
    )
