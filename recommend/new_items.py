"""Items that training did not see: features, vectors and a bias from their relations alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from embeddings.alike import Borrowed
from embeddings.assemble import unit_rows
from embeddings.weights import Floats, Weights

Columns = NDArray[np.int64]
LEAST_ROOM = 256  # new items before arrays are copied again


@dataclass(frozen=True)
class NewItem:
    """relations: (relation code of the declaration, entity row) of each of the item's relations."""

    item_id: str
    relations: Sequence[tuple[int, int]]


class Appended:
    """Rows of a trained array with room behind them, so that new rows cost nothing for those that are there.

    Arrays that were given out stay as they are: rows in use are never written again.
    """

    def __init__(self) -> None:
        self._buffer: Floats | None = None
        self._used = 0

    def to(self, base: Floats, rows: Floats) -> Floats:
        """(n + k, d) base (n, d), always the same one, with rows (k, d) below it."""
        start, end = len(base), len(base) + len(rows)
        buffer, kept = self._buffer, min(self._used, len(rows))
        if buffer is None or end > len(buffer) or not np.array_equal(buffer[start : start + kept], rows[:kept]):
            buffer = self._buffer = np.empty((start + max(LEAST_ROOM, 2 * len(rows)), base.shape[1]), base.dtype)
            buffer[:start], kept, self._used = base, 0, 0
        if len(rows) > self._used:
            buffer[start + kept : end] = rows[kept:]
            self._used = len(rows)
        return buffer[:end]


@dataclass(frozen=True)
class Room:
    """For the three arrays of vectors of one trained model."""

    context: Appended = field(default_factory=Appended)
    targets: Appended = field(default_factory=Appended)
    vectors: Appended = field(default_factory=Appended)


def grow(
    weights: Weights,
    columns: Sequence[Columns],
    borrowed: Sequence[Borrowed],
    room: Room,
    *,
    target_length: float = 0.0,
) -> Weights:
    """The weights with one more item per entry of columns (its features, ascending).

    borrowed: what each takes from the trained items that it is like. room: of these weights and no others.
    target_length: what the new rows of Q are brought to; 0: they stay as they are composed. A new item has no takers.
    An item without features gets zero vectors and the base bias.
    """
    if not columns:
        return weights
    ends = weights.features_indptr[-1] + np.cumsum([len(part) for part in columns], dtype=np.int64)
    context = np.stack([composed(weights, part, weights.compose_context, weights.entity_context) for part in columns])
    targets = np.stack([composed(weights, part, weights.compose_targets, weights.entity_targets) for part in columns])
    unit = unit_rows(targets)
    base, slope = weights.base_bias[0], weights.borrow_slopes[0]
    bias = [base + slope * (part.weights @ (weights.bias[part.rows] - base)) for part in borrowed]
    return replace(
        weights,
        features_indptr=np.append(weights.features_indptr, ends),
        features_indices=np.concatenate([weights.features_indices, *columns]).astype(np.int32),
        features_data=np.concatenate([weights.features_data, *(feature_values(weights, part) for part in columns)]),
        taste_context=room.context.to(weights.taste_context, context),
        taste_targets=room.targets.to(
            weights.taste_targets, unit * np.float32(target_length) if target_length else targets
        ),
        item_vectors=room.vectors.to(weights.item_vectors, unit),
        bias=np.append(weights.bias, np.asarray(bias, np.float32)),
        target_scale=np.append(weights.target_scale, np.ones(len(columns), np.float32)),
        takers_indptr=np.append(weights.takers_indptr, np.full(len(columns), weights.takers_indptr[-1])),
    )


def feature_values(weights: Weights, columns: Columns) -> Floats:
    """F of an item with these features: √θ_r · √idf_f / √(Σ idf of the item's features of relation r)."""
    idf, relations = weights.feature_idf[columns], weights.feature_relations[columns]
    totals = np.bincount(relations, weights=idf, minlength=len(weights.relation_weights))
    return np.sqrt(weights.relation_weights[relations] * idf / totals[relations]).astype(np.float32)


def composed(weights: Weights, columns: Columns, coefficients: Floats, messages: Floats) -> Floats:
    """(d,) Σ_f coefficient_f · message_entity(f) / √(number of the item's features of that relation)."""
    relations = weights.feature_relations[columns]
    alike = np.bincount(relations, minlength=len(weights.relation_weights))[relations]
    amounts = coefficients[columns] / np.sqrt(alike)[:, None]  # (f, c)
    block = messages.shape[1] // amounts.shape[1]
    heard = messages[weights.feature_entities[columns]].reshape(*amounts.shape, block)
    return np.asarray((amounts[:, :, None] * heard).sum(axis=0).ravel(), np.float32)
