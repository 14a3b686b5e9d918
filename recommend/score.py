"""Scores of all items for one user, as named parts that sum exactly to the total. NumPy and SciPy only.

The formula and the arrays: embeddings.weights. Every part of a score can be split again: `entity` by event and
entity, `behaviour` by event.
"""

from collections.abc import Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Rows
from embeddings.alike import Alike
from embeddings.artifact import Artifact
from embeddings.weighting import size_scale
from embeddings.weights import Floats, Normalisation, Weights
from recommend.behaviour import Behaviour, Shares
from recommend.entity_index import EntityIndex
from recommend.history import UserEvents, Weighted, weigh
from recommend.new_items import NewItem, Room, feature_values, grow

__all__ = ["EntityColumns", "EntityTerm", "NewItem", "Scorer", "Scores"]

SHRINK_TOGETHER = 10


@dataclass(frozen=True)
class Scores:
    """(I,) float32 each: entity + behaviour + taste + popularity = total."""

    total: Floats
    entity: Floats
    behaviour: Floats
    taste: Floats
    popularity: Floats


@dataclass(frozen=True)
class EntityTerm:
    """What one event (or one stated taste: event_item_row −1) gives one item through one entity."""

    event_item_row: int
    relation_code: int
    entity_row: int
    value: float


@dataclass(frozen=True)
class EntityColumns:
    """Entity terms as columns, (t,) each."""

    event_item_rows: Rows
    relation_codes: NDArray[np.int16]
    entity_rows: Rows
    values: Floats

    def without(self, entity_rows: Collection[int]) -> "EntityColumns":
        """Those of other entities."""
        if not entity_rows:
            return self
        kept = ~np.isin(self.entity_rows, list(entity_rows))
        return EntityColumns(
            self.event_item_rows[kept], self.relation_codes[kept], self.entity_rows[kept], self.values[kept]
        )


class Scorer:
    """Scores items by an artifact. Holds no state of users; safe to share between threads."""

    def __init__(self, artifact: Artifact) -> None:
        self.declaration = artifact.snapshot.declaration
        self.normalisation: Normalisation = artifact.manifest.normalisation
        self.version = artifact.version
        self._behaviour = Behaviour(artifact.weights)
        self._use([str(item_id) for item_id in artifact.snapshot.item_ids], artifact.weights)

    def _use(self, item_ids: list[str], weights: Weights) -> None:
        self.item_ids = item_ids
        self.weights = weights
        shape = (len(item_ids), len(weights.feature_entities))
        parts = (weights.features_data, weights.features_indices, weights.features_indptr)
        self._features = sp.csr_array(parts, shape=shape)
        self._own: Floats = np.asarray(self._features.multiply(self._features).sum(axis=1), np.float32).ravel()

    # ---- users

    def weigh(self, events: UserEvents) -> Weighted:
        """What the user's items weigh. No events: no items."""
        return weigh(self.declaration, events, half_life_days=self.normalisation.half_life_days)

    def score(self, weighted: Weighted) -> Scores:
        """Scores of all items. Without any weight that differs from 0 only the popularity part is left."""
        rows, weights = _nonzero(weighted)
        linear = self.linear_amounts(weighted)
        entity = np.asarray(self._features @ (self._features[rows].T @ linear), np.float32)
        entity[rows] -= linear * self._own[rows]
        shares = Shares.of(weights, self.normalisation)
        behaviour = self._behaviour.of_user(rows, self.plain_amounts(weighted), len(self.item_ids), shares)
        taste = weights * np.float32(size_scale(weights, self.normalisation.taste_power))
        user = self._of_length(np.asarray(taste @ self.weights.taste_context[rows], np.float32))
        return self._sum(entity, behaviour, user * np.float32(shares.trust))

    def entity_part_through(self, weighted: Weighted, entity_rows: Sequence[int]) -> Floats:
        """(I,) what of the part `entity` comes through these entities."""
        rows, linear = _nonzero(weighted)[0], self.linear_amounts(weighted)
        columns = np.flatnonzero(np.isin(self.weights.feature_entities, np.asarray(entity_rows, np.int64)))
        through = self._features[:, columns]
        part = np.asarray(through @ (through[rows].T @ linear), np.float32)
        part[rows] -= linear * np.asarray(through[rows].multiply(through[rows]).sum(axis=1), np.float32).ravel()
        return part * self.weights.target_scale

    def from_tastes(self, entity_rows: Sequence[int], weights: Sequence[float]) -> Scores:
        """Scores for stated tastes without events: as for one item that has these entities, weighed as given."""
        columns, values = self._taste_features(entity_rows, weights)
        vector = np.zeros(len(self.weights.feature_entities), np.float32)
        vector[columns] = values
        amounts = np.asarray(weights, np.float32) * np.float32(size_scale(np.asarray(weights, np.float32), 0.5))
        user = np.asarray(amounts @ self.weights.entity_context[np.asarray(entity_rows, np.int64)], np.float32)
        nobody = np.zeros(len(self.item_ids), np.float32)
        return self._sum(np.asarray(self._features @ vector), nobody, self._of_length(user))

    def _sum(self, entity: Floats, behaviour: Floats, user: Floats) -> Scores:
        entity = entity * self.weights.target_scale
        behaviour = behaviour * self.weights.target_scale
        taste = np.asarray(self.weights.taste_targets @ user, np.float32)
        popularity = self.weights.bias
        return Scores(entity + behaviour + taste + popularity, entity, behaviour, taste, popularity)

    # ---- exact splits

    def entity_terms(self, weighted: Weighted, item_row: int) -> list[EntityTerm]:
        """The terms of the item's entity part, one per event and entity shared; they sum to it. The strongest first."""
        columns = self.entity_columns(weighted, item_row)
        return _strongest_first(columns.event_item_rows, columns.relation_codes, columns.entity_rows, columns.values)

    def entity_index(self, weighted: Weighted) -> EntityIndex:
        """What makes `entity_columns` of one user cheap for many items."""
        return EntityIndex(self._features, _nonzero(weighted)[0])

    def linear_amounts(self, weighted: Weighted) -> Floats:
        """(r,) what multiplies the features of each row of the index."""
        return self.plain_amounts(weighted) * np.float32(self.shares(weighted).trust)

    def plain_amounts(self, weighted: Weighted) -> Floats:
        """(r,) the weights of the items that count, normalised, however far the history is trusted."""
        _, weights = _nonzero(weighted)
        return weights * np.float32(size_scale(weights, self.normalisation.linear_power))

    def shares(self, weighted: Weighted) -> Shares:
        return Shares.of(weighted.weights, self.normalisation)

    def entity_columns(self, weighted: Weighted, item_row: int, index: EntityIndex | None = None) -> EntityColumns:
        """The same terms as columns, in no order: for a user with thousands of them. index: of the same weights."""
        rows = _nonzero(weighted)[0]
        linear = self.linear_amounts(weighted) * self.weights.target_scale[item_row]
        places, columns, products = (index or self.entity_index(weighted)).shared(item_row)
        relations, entities = self.weights.feature_relations[columns], self.weights.feature_entities[columns]
        values = np.asarray(products * linear[places], np.float32)
        return EntityColumns(rows[places], relations, entities, values)

    def taste_terms(self, entity_rows: Sequence[int], weights: Sequence[float], item_row: int) -> list[EntityTerm]:
        """The terms of the entity part of `from_tastes`, one per entity and relation shared. The strongest first."""
        columns, values = self._taste_features(entity_rows, weights)
        target = np.asarray(self._features[[item_row]].toarray()).ravel()
        products = target[columns] * values * self.weights.target_scale[item_row]
        found = np.flatnonzero(products)
        relations, entities = self.weights.feature_relations[columns], self.weights.feature_entities[columns]
        nobody = np.full(len(found), -1, np.int32)
        return _strongest_first(nobody, relations[found], entities[found], products[found])

    def behaviour_terms(self, weighted: Weighted, item_row: int) -> Floats:
        """(h,) what each of the user's items adds to the item's behaviour part, in the order of `weighted`."""
        scale = size_scale(weighted.weights, self.normalisation.linear_power) * self.weights.target_scale[item_row]
        terms = self._behaviour.terms(weighted.item_rows, item_row, self.shares(weighted))
        return terms * weighted.weights * np.float32(scale)

    def amounts(self, weighted: Weighted, item_rows: NDArray[np.int64]) -> Floats:
        """(h, j) what each of the user's items adds to the score of each of these, taste included, scales as they are.

        They sum over h to the score without its popularity.
        """
        rows, shares = weighted.item_rows, self.shares(weighted)
        linear = weighted.weights * np.float32(size_scale(weighted.weights, self.normalisation.linear_power))
        shared = np.asarray((self._features[rows] @ self._features[item_rows].T).toarray(), np.float32)
        shared[rows[:, None] == item_rows[None, :]] = 0
        behaviour = np.stack([self._behaviour.terms(rows, int(row), shares) for row in item_rows], axis=1)
        taste = weighted.weights * np.float32(size_scale(weighted.weights, self.normalisation.taste_power))
        context = taste[:, None] * self.weights.taste_context[rows].astype(np.float32)
        if self.normalisation.taste_length:
            length = np.linalg.norm(context.sum(axis=0))
            context = context / length if length > 0 else context
        near = context @ self.weights.taste_targets[item_rows].astype(np.float32).T
        sums = (shares.trust * shared + behaviour) * linear[:, None] * self.weights.target_scale[item_rows]
        return np.asarray(sums + shares.trust * near, np.float32)

    def evidence(self, event_item_row: int, item_row: int) -> int:
        """How many users of the training data took both items."""
        return len(np.intersect1d(self._takers(event_item_row), self._takers(item_row), assume_unique=True))

    def pulls(self, item_row: int) -> Floats:
        """(I,) what an event on each item, weighed 1, gives this one in a long history before user normalisation."""
        features = np.asarray(self._features @ self._features[[item_row]].toarray().ravel(), np.float32)
        shares = Shares(1.0, self.normalisation.together_whole)
        behaviour = self._behaviour.terms(np.arange(len(self.item_ids), dtype=np.int32), item_row, shares)
        taste = np.asarray(self.weights.taste_context @ self.weights.taste_targets[item_row], np.float32)
        return (features + behaviour) * self.weights.target_scale[item_row] + taste

    # ---- similarity

    def similarity(self, item_row: int) -> Floats:
        """(I,) the mean of two cosines, 0 to 1: of the features of both items, and of who took them.

        The second is shrunk by n / (n + 10) for n people who took both, so that few people make no twins.
        Vectors of the encoder rank lists better than they find neighbours: see docs/decisions/0006.
        """
        target = self._features[[item_row]]
        lengths = np.sqrt(self._own * self._own[item_row])
        features = np.asarray(self._features @ target.toarray().ravel(), np.float32)
        together = self._together(item_row)
        takers = np.zeros(len(self.item_ids), np.float32)
        takers[: len(self.weights.takers_indptr) - 1] = np.diff(self.weights.takers_indptr)
        both = np.sqrt(takers * takers[item_row])
        cosines = np.divide(together, both, out=np.zeros_like(takers), where=both > 0)
        shrunk = cosines * together / (together + SHRINK_TOGETHER)
        own = np.divide(features, lengths, out=np.zeros_like(features), where=lengths > 0)
        return np.asarray((own + shrunk) / 2, np.float32)

    @property
    def item_vectors(self) -> Floats:
        """(I, d) unit length; the row of an item of which nothing is known is 0."""
        return self.weights.item_vectors

    @property
    def entity_vectors(self) -> Floats:
        """(E, d) unit length, comparable with item_vectors and user_vector."""
        return self.weights.entity_vectors

    def user_vector(self, weighted: Weighted) -> Floats:
        """(d,) unit length, comparable with item_vectors and entity_vectors; 0 without any weight."""
        rows, weights = _nonzero(weighted)
        return _unit(np.asarray(weights @ self.weights.taste_context[rows], np.float32))

    def entity_affinity(self, weighted: Weighted) -> Floats:
        """(E,) cosine similarity of the user and each entity, −1 to 1."""
        return np.asarray(self.entity_vectors @ self.user_vector(weighted), np.float32)

    # ---- lists

    def top(self, scores: Floats, n: int, allowed: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """At most n rows by falling score, equal scores by item id; only those that `allowed` (I,) admits."""
        rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
        if n <= 0:
            return rows[:0]
        values = scores[rows]
        if len(rows) > n:
            least = np.partition(values, len(rows) - n)[len(rows) - n]
            rows, values = rows[values >= least], values[values >= least]
        return rows[np.lexsort((self._id_order[rows], -values))][:n]

    # ---- new items

    def with_items(self, new_items: Sequence[NewItem]) -> "Scorer":
        """A scorer with these items appended: rows I, I + 1, … get features, vectors and a bias from their edges.

        Relations of unknown codes or entity rows, and pairs that no trained item has, are left out.
        """
        columns = [
            np.asarray(sorted({self._column[pair] for pair in item.relations if pair in self._column}), np.int64)
            for item in new_items
        ]
        grown = object.__new__(Scorer)
        grown.declaration, grown.normalisation, grown.version = self.declaration, self.normalisation, self.version
        borrowed = [self._alike.borrow(each) for each in columns]
        slope = self.weights.borrow_slopes[1]
        grown._behaviour = self._behaviour.lending([replace(each, weights=slope * each.weights) for each in borrowed])
        weights = grow(self.weights, columns, borrowed, self._room, target_length=self.normalisation.taste_length)
        grown._use(self.item_ids + [item.item_id for item in new_items], weights)
        return grown

    # ---- trend

    def trending(self, factors: Floats) -> "Scorer":
        """A scorer whose first items' entity and behaviour parts are multiplied with these, (I',) for I' at most I."""
        scale = self.weights.target_scale.copy()
        scale[: len(factors)] *= factors
        other = copy(self)
        other.weights = replace(self.weights, target_scale=scale)
        return other

    # ---- helpers

    def _of_length(self, user: Floats) -> Floats:
        return _unit(user) if self.normalisation.taste_length else user

    def _taste_features(self, entity_rows: Sequence[int], weights: Sequence[float]) -> tuple[NDArray[np.int64], Floats]:
        """Columns and values of the pseudo item that has these entities."""
        stated = dict(zip(entity_rows, weights, strict=True))
        columns = np.flatnonzero(np.isin(self.weights.feature_entities, np.asarray(list(stated), np.int64)))
        amounts = [stated[int(row)] for row in self.weights.feature_entities[columns]]
        return columns, feature_values(self.weights, columns) * np.asarray(amounts, np.float32)

    def _together(self, item_row: int) -> Floats:
        """(I,) how many users of the training data took each item and this one; 0 for items that came after it."""
        together = np.zeros(len(self.item_ids), np.float32)
        trained = len(self.weights.takers_indptr) - 1
        if item_row < trained:
            rows = self.weights.takers_rows
            taken = np.zeros(int(rows.max(initial=-1)) + 1, np.bool_)
            taken[self._takers(item_row)] = True
            sums = np.append(0, np.cumsum(taken[rows]))
            together[:trained] = np.diff(sums[self.weights.takers_indptr])
        return together

    def _takers(self, item_row: int) -> Rows:
        begin, end = self.weights.takers_indptr[item_row : item_row + 2]
        return self.weights.takers_rows[begin:end]

    @cached_property
    def _room(self) -> Room:
        return Room()

    @cached_property
    def _alike(self) -> Alike:
        return Alike.of(self._features, self.weights.feature_idf, np.diff(self.weights.takers_indptr) > 0)

    @cached_property
    def _column(self) -> dict[tuple[int, int], int]:
        pairs = zip(self.weights.feature_relations.tolist(), self.weights.feature_entities.tolist(), strict=True)
        return {pair: column for column, pair in enumerate(pairs)}

    @cached_property
    def _id_order(self) -> NDArray[np.int64]:
        """(I,) the place of each row when ids are sorted."""
        order = np.empty(len(self.item_ids), np.int64)
        order[sorted(range(len(self.item_ids)), key=self.item_ids.__getitem__)] = np.arange(len(self.item_ids))
        return order


def _nonzero(weighted: Weighted) -> tuple[Rows, Floats]:
    """Items that were only seen add nothing to any part."""
    counts = weighted.weights != 0
    return weighted.item_rows[counts], weighted.weights[counts]


def _unit(vector: Floats) -> Floats:
    """The vector at length 1; 0 stays."""
    length = np.float32(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _strongest_first(
    items: Iterable[int], relations: Iterable[int], entities: Iterable[int], values: Iterable[float]
) -> list[EntityTerm]:
    columns = zip(items, relations, entities, values, strict=True)
    terms = [EntityTerm(int(h), int(r), int(e), float(value)) for h, r, e, value in columns]
    return sorted(terms, key=lambda term: (-abs(term.value), term.event_item_row, term.relation_code, term.entity_row))
