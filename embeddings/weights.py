"""What a trained model is, as arrays: everything that scoring needs, already scaled by the fusion weights. NumPy only.

The score of item i for a user whose items weigh w (before normalisation), with own = Σ w²:

    score_i = target_scale_i · own^−linear_power · (trust · Σ_h w_h (B0_hi + R_hi) + together · Σ_h w_h N_hi)
              + trust · taste · ⟨Σ_h w_h C_h, Q_i⟩ + bias_i
    taste = own^−taste_power, or 1 / ‖Σ_h w_h C_h‖ where taste is a cosine
    trust = own⁴ / (own⁴ + half_size⁴), or 1 from own = 10 half_size
    together = trust · together_whole + (1 − trust) · together_short

B0_hi = Σ_f F_hf F_if for h ≠ i, and 0 for h = i; f is a feature: one relation type to one entity.
R is kept whole (behaviour_rows), as a product without its diagonal (behaviour_left · behaviour_rightᵀ − diagonal),
or sparse. N is sparse: embeddings.together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Floats = NDArray[np.float32]
Halves = NDArray[np.float16]
Rows = NDArray[np.int32]
Places = NDArray[np.int64]


class Normalisation(msgspec.Struct, frozen=True, kw_only=True):
    """How a user's history is scaled. The powers are of Σ w²; half_life_days: None for no decay.

    taste_length: the length of each row of Q where taste is a cosine: users' vectors are then brought to 1. Else 0.
    half_size: the Σ w² of a history that counts half beside popularity (embeddings.trust).
    together_whole, together_short: what N counts in a long history and in a short one.
    trend_power, trend_days: target_scale is embeddings.popularity.trend of so many days to this power; 0: it is 1.
    """

    linear_power: float = 0.25
    taste_power: float = 0.5
    taste_length: float = 0.0
    half_life_days: float | None = None
    half_size: float = 0.0
    together_whole: float = 0.0
    together_short: float = 0.0
    trend_power: float = 0.0
    trend_days: float = 28.0


@dataclass(frozen=True)
class Weights:
    """I items, E entities, K features (relation, entity), R relation types of the declaration, d dimensions.

    features_*: the (I, K) matrix F in CSR form, √relation_weight · √idf / √(Σ idf of the item's relation) per entry.
    feature_entities (K,) int32, feature_relations (K,) int16 codes, feature_idf (K,).
    base_bias (1,): of an item of which nothing is known. borrow_slopes (2,): what the bias and the residual that a new
        item borrows from items like it are multiplied with (embeddings.alike).
    relation_weights (R,): θ_r times the fusion weight; 0 where the relation carries nothing.
    behaviour_rows (I, I) float16, or behaviour_left, behaviour_right (I', r) float16 and behaviour_diagonal (I',) of
        the item rows behaviour_items (I',), ascending; R is 0 for the others; or behaviour_indptr, behaviour_indices
        and behaviour_data: R in CSR form.
    together_indptr, together_indices, together_data: N in CSR form, where it counts.
    taste_context C, taste_targets Q (I, d). compose_context, compose_targets (K, c): a new item's C and Q
        are, in each of the c blocks of their dimensions, Σ_f compose_f · message_entity(f) / √(number of the item's
        relations of that type).
    entity_context, entity_targets (E, d): those messages. bias (I,), target_scale (I,).
    item_vectors (I, d), entity_vectors (E, d): unit length, for similarity (zero rows where nothing is known).
    takers_indptr (I + 1,) int64, takers_rows int32: the user rows that took each item, ascending.
    """

    features_indptr: Places
    features_indices: Rows
    features_data: Floats
    feature_entities: Rows
    feature_relations: NDArray[np.int16]
    feature_idf: Floats
    relation_weights: Floats
    compose_context: Floats
    compose_targets: Floats
    taste_context: Floats
    taste_targets: Floats
    entity_context: Floats
    entity_targets: Floats
    base_bias: Floats
    borrow_slopes: Floats
    bias: Floats
    target_scale: Floats
    item_vectors: Floats
    entity_vectors: Floats
    takers_indptr: Places
    takers_rows: Rows
    behaviour_rows: Halves | None = None
    behaviour_items: Rows | None = None
    behaviour_left: Halves | None = None
    behaviour_right: Halves | None = None
    behaviour_diagonal: Floats | None = None
    behaviour_indptr: Places | None = None
    behaviour_indices: Rows | None = None
    behaviour_data: Halves | None = None
    together_indptr: Places | None = None
    together_indices: Rows | None = None
    together_data: Halves | None = None

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, Any]) -> "Weights":
        """The weights of arrays by name. Raises: TypeError for a name that is missing or unknown."""
        return cls(**arrays)

    def arrays(self) -> dict[str, Array]:
        """The arrays by name, those that are absent left out."""
        named = {part.name: getattr(self, part.name) for part in fields(self)}
        return {name: array for name, array in named.items() if array is not None}
