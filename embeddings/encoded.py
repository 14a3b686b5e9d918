"""What the encoder learned, as arrays: what crosses from torch to everything else."""

from dataclasses import dataclass

from embeddings.features import Floats


@dataclass(frozen=True)
class Encoded:
    """I items, E entities, K features, R relation types, d dimensions.

    context, targets (I, d): C and Q. entity_context, entity_targets (E, d): the messages H.
    from_entities_context, from_entities_targets (R,): the relation scalars. bias (I,). degrees (K,): items per feature.
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
