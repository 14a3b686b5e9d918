"""Puts the fitted parts together, scaled by the fusion weights, into what serving reads. NumPy and SciPy only."""

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from embeddings.encoded import Encoded
from embeddings.features import Features, Floats
from embeddings.fit_linear import Linear
from embeddings.fuse import Chosen
from embeddings.linear import LowRank
from embeddings.popularity import takers
from embeddings.weighting import DAY_MS, PairWeights
from embeddings.weights import Weights

BIAS_DAMPING = 3.0  # strength of the ridge that predicts a bias from features
NEW_FOR_DAYS = 60.0  # an item without takers that came within these days before the newest event counts as new


def assemble(
    snapshot: Snapshot,
    pairs: PairWeights,
    features: Features,
    linear: Linear,
    encoded: Encoded,
    chosen: Chosen,
    trend: Floats,
) -> Weights:
    """The served weights. trend (I,) as in embeddings.popularity."""
    fusion = chosen.fusion
    linear_scale = fusion.linear / chosen.linear_deviation
    taste_scale = np.float32(1 / chosen.taste_deviation)
    prior = sp.csr_array(linear.prior * np.sqrt(np.float32(linear_scale)))
    counts = takers(pairs, len(snapshot.item_ids))
    bias, base, feature_bias = _biases(snapshot, features, encoded.bias, counts)
    bias_scale = np.float32(fusion.popularity) * taste_scale
    root = np.sqrt(np.maximum(encoded.degrees, 1))
    positive = pairs.weights > 0
    order = np.lexsort((pairs.user_rows[positive], pairs.item_rows[positive]))
    whole, left, right, diagonal = _behaviour(linear.rest, linear_scale)
    return Weights(
        features_indptr=prior.indptr.astype(np.int64),
        features_indices=prior.indices.astype(np.int32),
        features_data=prior.data.astype(np.float32),
        feature_entities=features.entities,
        feature_relations=features.relations,
        feature_idf=features.idf,
        feature_bias=feature_bias * bias_scale,
        relation_weights=(linear.relation_weights * linear_scale).astype(np.float32),
        compose_context=(encoded.from_entities_context[features.relations] / root).astype(np.float32),
        compose_targets=(encoded.from_entities_targets[features.relations] / root).astype(np.float32),
        taste_context=encoded.context,
        taste_targets=encoded.targets * taste_scale,
        entity_context=encoded.entity_context,
        entity_targets=encoded.entity_targets * taste_scale,
        base_bias=np.array([base], np.float32) * bias_scale,
        bias=bias * bias_scale,
        target_scale=(trend**fusion.trend).astype(np.float32),
        item_vectors=unit_rows(encoded.targets),
        entity_vectors=unit_rows(encoded.entity_targets),
        takers_indptr=np.append(0, np.cumsum(counts)).astype(np.int64),
        takers_rows=pairs.user_rows[positive][order],
        behaviour_rows=whole,
        behaviour_left=left,
        behaviour_right=right,
        behaviour_diagonal=diagonal,
    )


def unit_rows(matrix: Floats) -> Floats:
    """The rows at length 1; rows of zeros stay."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)


def _behaviour(
    rest: Floats | LowRank, scale: float
) -> tuple[
    NDArray[np.float16] | None, NDArray[np.float16] | None, NDArray[np.float16] | None, NDArray[np.float32] | None
]:
    """(rows, left, right, diagonal) in half precision, balanced so that neither factor runs out of its range."""
    if not isinstance(rest, LowRank):
        return (rest * np.float32(scale)).astype(np.float16), None, None, None
    left, right = rest.left * np.float32(scale), rest.right
    balance = np.sqrt(
        np.maximum(np.abs(left).max(axis=0, initial=1e-9), 1e-9)
        / np.maximum(np.abs(right).max(axis=0, initial=1e-9), 1e-9)
    )
    left, right = (left / balance).astype(np.float16), (right * balance).astype(np.float16)
    diagonal = np.einsum("ir,ir->i", left.astype(np.float32), right.astype(np.float32))
    return None, left, right, diagonal


def _biases(
    snapshot: Snapshot, features: Features, bias: Floats, counts: NDArray[np.int64]
) -> tuple[Floats, float, Floats]:
    """The items' biases with their median at 0, the base of a new item's and what each of its features adds.

    A new item's bias is predicted by ridge regression from its features (each counts 1 / √(number of the item's)).
    """
    known = np.flatnonzero(counts > 0)
    centred = bias - np.float32(np.median(bias[known]))
    base = float(centred[known].mean())
    if len(features.entities) == 0:
        return centred, base, np.zeros(0, np.float32)
    found = scipy.sparse.linalg.lsqr(features.matrix[known], centred[known] - base, damp=BIAS_DAMPING, iter_lim=200)
    added = np.asarray(found[0], np.float32)
    newest = snapshot.interactions.at.max(initial=0)
    new = (counts == 0) & (snapshot.item_created_at > newest - NEW_FOR_DAYS * DAY_MS)
    return np.where(new, base + features.matrix @ added, centred).astype(np.float32), base, added
