"""What the encoder learned, as arrays: what crosses from torch to everything else."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from embeddings.features import Floats


@dataclass(frozen=True)
class Encoded:
    """I items, E entities, K features, R relation types, d dimensions.

    context, targets (I, d): C and Q. entity_context, entity_targets (E, d): the messages H.
    from_entities_context, from_entities_targets (R,): the relation scalars. bias (I,). degrees (K,): items per feature.
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
