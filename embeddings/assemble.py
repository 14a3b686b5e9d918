"""Puts the fitted parts together, scaled by the fusion weights, into what serving reads. NumPy and SciPy only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from embeddings.alike import Alike, Borrowed
from embeddings.encoded import Encoded
from embeddings.features import Features, Floats
from embeddings.fit_linear import Linear, Rest
from embeddings.fuse import Chosen
from embeddings.linear import LowRank
from embeddings.popularity import takers
from embeddings.weighting import DAY_MS, PairWeights
from embeddings.weights import Weights

CALIBRATED_ON, MOST_SLOPE = 200, 2.0  # items that stand for new ones
NEW_FOR_DAYS = 60.0  # an item without takers that came within these days before the newest event counts as new


def assemble(
    snapshot: Snapshot,
    pairs: PairWeights,
    features: Features,
    linear: Linear,
    encoded: Encoded,
    chosen: Chosen,
    trend: Floats,
    together: sp.csr_array | None = None,
) -> Weights:
    """The served weights. trend (I,) as in embeddings.popularity. together: N of embeddings.together, if it counts."""
    fusion = chosen.fusion
    linear_scale = fusion.linear / chosen.linear_deviation
    taste_scale = np.float32(1 / chosen.taste_deviation)
    prior = sp.csr_array(linear.prior * np.sqrt(np.float32(linear_scale)))
    counts = takers(pairs, len(snapshot.item_ids))
    alike = Alike.of(features.matrix, features.idf, counts > 0)
    bias = encoded.bias - np.float32(np.median(encoded.bias[counts > 0]))
    base = np.float32(bias[counts > 0].mean())
    slopes = calibrate(alike, bias - base, linear.rest)
    newest = snapshot.interactions.at.max(initial=0)
    new = np.flatnonzero((counts == 0) & (snapshot.item_created_at > newest - NEW_FOR_DAYS * DAY_MS))
    borrowed = [alike.of_row(int(row)) for row in new]
    bias[new] = base + slopes[0] * np.array([each.weights @ (bias - base)[each.rows] for each in borrowed], np.float32)
    bias_scale = np.float32(fusion.popularity) * taste_scale
    root = np.sqrt(np.maximum(encoded.degrees, 1))[:, None]
    positive = pairs.weights > 0
    order = np.lexsort((pairs.user_rows[positive], pairs.item_rows[positive]))
    behaviour = _behaviour(lent(linear.rest, new, borrowed, slopes[1]), linear_scale)
    if together is not None:
        with_new = lent(together, new, borrowed, slopes[1])
        assert isinstance(with_new, sp.csr_array)
        behaviour |= _sparse("together", with_new, 1.0)
    return Weights(
        features_indptr=prior.indptr.astype(np.int64),
        features_indices=prior.indices.astype(np.int32),
        features_data=prior.data.astype(np.float32),
        feature_entities=features.entities,
        feature_relations=features.relations,
        feature_idf=features.idf,
        relation_weights=(linear.relation_weights * linear_scale).astype(np.float32),
        compose_context=(encoded.from_entities_context[features.relations] / root).astype(np.float32),
        compose_targets=(encoded.from_entities_targets[features.relations] / root).astype(np.float32),
        taste_context=encoded.context,
        taste_targets=encoded.targets * taste_scale,
        entity_context=encoded.entity_context,
        entity_targets=encoded.entity_targets * taste_scale,
        base_bias=np.array([base], np.float32) * bias_scale,
        borrow_slopes=slopes,
        bias=bias * bias_scale,
        target_scale=(trend**fusion.trend).astype(np.float32),
        item_vectors=unit_rows(encoded.targets),
        entity_vectors=unit_rows(encoded.entity_targets),
        takers_indptr=np.append(0, np.cumsum(counts)).astype(np.int64),
        takers_rows=pairs.user_rows[positive][order],
        **behaviour,
    )


def unit_rows(matrix: Floats) -> Floats:
    """The rows at length 1; rows of zeros stay."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)


def _behaviour(rest: Rest, scale: float) -> dict[str, Any]:
    """The arrays of R by their names in Weights, in half precision.

    Of a product only the items whose rows are not 0, balanced so that neither factor overflows.
    """
    if isinstance(rest, sp.csr_array):
        return _sparse("behaviour", rest, scale)
    if not isinstance(rest, LowRank):
        return {"behaviour_rows": (rest * np.float32(scale)).astype(np.float16)}
    items = np.flatnonzero(np.any(rest.right, axis=1) | np.any(rest.left, axis=1))
    left, right = rest.left[items] * np.float32(scale), rest.right[items]
    balance = np.sqrt(
        np.maximum(np.abs(left).max(axis=0, initial=1e-9), 1e-9)
        / np.maximum(np.abs(right).max(axis=0, initial=1e-9), 1e-9)
    )
    left, right = (left / balance).astype(np.float16), (right * balance).astype(np.float16)
    diagonal = np.einsum("ir,ir->i", left.astype(np.float32), right.astype(np.float32))
    return {
        "behaviour_items": items.astype(np.int32),
        "behaviour_left": left,
        "behaviour_right": right,
        "behaviour_diagonal": diagonal,
    }


def _sparse(name: str, matrix: sp.csr_array, scale: float) -> dict[str, Any]:
    return {
        f"{name}_indptr": matrix.indptr.astype(np.int64),
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_data": (matrix.data * np.float32(scale)).astype(np.float16),
    }


def calibrate(alike: Alike, bias: Floats, rest: Rest) -> Floats:
    """(2,) by how much what an item borrows is to be multiplied, its bias and its column of R, to be right on average.

    Least squares over a fixed sample of trained items, each taken for a new one. 1 where nothing can be borrowed.
    """
    rng = np.random.default_rng(0)
    rows = rng.permutation(np.flatnonzero(alike.known))[:CALIBRATED_ON]
    borrowed = [alike.of_row(int(row)) for row in rows]
    guesses = np.array([each.weights @ bias[each.rows] for each in borrowed], np.float64)
    columns = _columns(rest, borrowed)
    columns[rows, np.arange(len(rows))] = 0
    truths = _columns(rest, [Borrowed(np.array([row]), np.ones(1, np.float32)) for row in rows])
    right = np.array([guesses @ bias[rows], np.vdot(columns, truths)])
    total = np.array([guesses @ guesses, np.vdot(columns, columns)])
    return np.clip(np.divide(right, total, out=np.ones(2), where=total > 0), 0, MOST_SLOPE).astype(np.float32)


def _columns(rest: Rest, borrowed: Sequence[Borrowed]) -> Floats:
    """(I, n) Σ_j weight_j R_:j over the rows j that each of the n borrows from."""
    sums = np.zeros((len(borrowed), _num_items(rest)), np.float32)
    for place, each in enumerate(borrowed):
        sums[place, each.rows] = each.weights
    if isinstance(rest, LowRank):
        return np.asarray(rest.left @ (sums @ rest.right).T - sums.T * rest.diagonal[:, None], np.float32)
    return np.asarray(rest @ sums.T, np.float32)


def _num_items(rest: Rest) -> int:
    if isinstance(rest, LowRank):
        return len(rest.right)
    return len(rest.indptr) - 1 if isinstance(rest, sp.csr_array) else len(rest)


def lent(rest: Rest, new: NDArray[np.int64], borrowed: Sequence[Borrowed], slope: np.float32) -> Rest:
    """R with what the new items, whose columns are 0, borrow in the place of them."""
    if len(new) == 0:
        return rest
    if isinstance(rest, LowRank):
        right = rest.right.copy()
        right[new] = [slope * (each.weights @ rest.right[each.rows]) for each in borrowed]
        return LowRank(rest.left, right, rest.diagonal)
    if isinstance(rest, sp.csr_array):
        return _lent_sparse(rest, new, borrowed, slope)
    columns = slope * _columns(rest, borrowed)
    columns[new, np.arange(len(new))] = 0
    whole = rest.copy()
    whole[:, new] = columns
    return whole


def _lent_sparse(
    rest: sp.csr_array, new: NDArray[np.int64], borrowed: Sequence[Borrowed], slope: np.float32
) -> sp.csr_array:
    places = np.repeat(np.arange(len(new)), [len(each.rows) for each in borrowed])
    rows, weights = (np.concatenate([getattr(each, name) for each in borrowed]) for name in ("rows", "weights"))
    sums = sp.csr_array((np.asarray(slope * weights, np.float32), (rows, places)), shape=(_num_items(rest), len(new)))
    columns = sp.csr_array(rest @ sums).tocoo()
    others = columns.row != new[columns.col]
    spread = (columns.data[others], (columns.row[others], new[columns.col[others]]))
    return sp.csr_array(rest + sp.csr_array(spread, shape=rest.shape))
