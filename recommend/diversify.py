"""Lists that are not all of a kind: maximal marginal relevance, and calibration to the user's own mix.

At each place the candidate with the most of

    (1 − c) · ((1 − d) · r(i) − d · max over chosen j of sim(i, j)) − c · (k + 1) · KL(p ‖ q of the list with i)

is next; r: scores from 0 to 1 over the candidates, k: items chosen so far, d and c: the two dials.
Sources: Carbonell and Goldstein, SIGIR 1998; Steck, RecSys 2018. Steck adds up the scores of a list and compares the
sum with one KL; here the KL counts once per item, so that a dial means the same for a list of 5 and one of 50.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommend.catalogue import Catalogue
from recommend.per_catalogue import PerCatalogue

Numbers = NDArray[np.float64]
SMOOTHING = 0.01  # Steck's α: of the user's own mix that is blended into the list's, so that nothing is divided by 0
LEAST_COVER = 0.5  # of the items have an entity of the type that the mix is told by
MOST_SORTS = 64  # entities of that type


class Values(Protocol):
    """What candidates are worth now, (m,), and what was chosen last."""

    def values(self) -> Numbers: ...

    def take(self, row: int) -> None: ...


@dataclass(frozen=True)
class Mix:
    """shares: (I, g) of each item's weight per entity of one type, rows sum to 1 or 0. own: (g,) of the user."""

    shares: sp.csr_array
    own: Numbers


@dataclass(frozen=True)
class Diversity:
    """dial, calibration: 0 to 1. vectors: (I, d) of length 1 or 0. mix None: nothing to be like."""

    dial: float
    calibration: float
    vectors: sp.csr_array | NDArray[np.floating]
    mix: Mix | None

    def over(self, pool: NDArray[np.int64], scores: Numbers) -> Values:
        """pool: (m,) candidate rows. scores: (I,)."""
        return _Greedy(self, pool, scores)


class _Greedy:
    def __init__(self, diversity: Diversity, pool: NDArray[np.int64], scores: Numbers) -> None:
        self._diversity = diversity
        values = scores[pool]
        spread = float(np.ptp(values)) if len(values) else 0.0
        self._relevance = (values - values.min()) / spread if spread > 0 else np.zeros(len(pool))
        self._pool = pool
        self._nearest = np.zeros(len(pool))
        self._chosen = 0
        mix = diversity.mix if diversity.calibration > 0 else None
        self._mix = mix
        self._of_pool = mix.shares[pool].toarray() if mix is not None else np.zeros((len(pool), 0))
        self._sum = np.zeros(self._of_pool.shape[1])

    def values(self) -> Numbers:
        dial, weight = self._diversity.dial, self._diversity.calibration if self._mix is not None else 0.0
        gain = (1 - dial) * self._relevance - dial * self._nearest
        if self._mix is None:
            return gain
        listed = (self._sum + self._of_pool) / (self._chosen + 1)
        return (1 - weight) * gain - weight * (self._chosen + 1) * divergence(self._mix.own, listed)

    def take(self, row: int) -> None:
        self._chosen += 1
        if self._diversity.dial > 0:
            vectors = self._diversity.vectors
            near = np.asarray(_dense(vectors[self._pool] @ vectors[[row]].T), np.float64).ravel()
            self._nearest = np.maximum(self._nearest, near)
        if self._mix is not None:
            self._sum = self._sum + self._mix.shares[[row]].toarray().ravel()


def divergence(own: Numbers, listed: Numbers) -> Numbers:
    """(m,) KL(own ‖ (1 − α) listed + α own) of each row of `listed` (m, g); 0 where it is the same mix."""
    smooth = (1 - SMOOTHING) * listed + SMOOTHING * own
    present = own > 0
    return (own[present] * np.log(own[present] / smooth[:, present])).sum(axis=1)


def mix_of(catalogue: Catalogue, weights: Mapping[int, float]) -> Mix | None:
    """The user's own mix. weights: item row -> above 0. None: no type sorts the catalogue, or nothing was taken."""
    shares = _sorted_shares.of(catalogue)
    if shares is None or not weights:
        return None
    rows = np.fromiter(weights, np.int64, len(weights))
    amounts = np.fromiter(weights.values(), np.float64, len(weights))
    own = np.asarray(amounts @ shares[rows]).ravel()
    return Mix(shares, own / own.sum()) if own.sum() > 0 else None


def sorting_type(catalogue: Catalogue) -> int | None:
    """The type of entity by which the catalogue is sorted: of those that half of the items have, and that are few
    enough for a list to have their mix, the one with the most relations; of equal ones the finer.

    Nothing sensitive counts.
    """
    by_type: dict[int, tuple[set[int], set[int], list[int]]] = {}
    for item_row in range(len(catalogue)):
        for code, entity_row in catalogue.knowledge.of_left(item_row):
            if catalogue.may_show(code, entity_row):
                found = by_type.setdefault(int(catalogue.entity_types[entity_row]), (set(), set(), []))
                found[0].add(item_row)
                found[1].add(entity_row)
                found[2].append(code)
    fit = [
        (len(links), len(entities), entity_type)
        for entity_type, (items, entities, links) in by_type.items()
        if 1 < len(entities) <= MOST_SORTS and len(items) >= LEAST_COVER * len(catalogue)
    ]
    return max(fit)[2] if fit else None


def _shares(catalogue: Catalogue) -> sp.csr_array | None:
    """(I, g) what share of an item each entity of the sorting type has; None without such a type."""
    entity_type = sorting_type(catalogue)
    if entity_type is None:
        return None
    columns: dict[int, int] = {}
    rows: list[int] = []
    places: list[int] = []
    values: list[float] = []
    for item_row in range(len(catalogue)):
        own = {
            row
            for code, row in catalogue.knowledge.of_left(item_row)
            if catalogue.entity_types[row] == entity_type and catalogue.may_show(code, row)
        }
        for entity_row in sorted(own):
            rows.append(item_row)
            places.append(columns.setdefault(entity_row, len(columns)))
            values.append(1 / len(own))
    return sp.csr_array((values, (rows, places)), shape=(len(catalogue), len(columns)))


def entity_vectors(catalogue: Catalogue) -> sp.csr_array:
    """(I, E) of length 1: items alike by the entities that they share, for where there is no model."""
    return _vectors.of(catalogue)


def _entity_vectors(catalogue: Catalogue) -> sp.csr_array:
    rows: list[int] = []
    columns: list[int] = []
    for item_row in range(len(catalogue)):
        own = {row for code, row in catalogue.knowledge.of_left(item_row) if catalogue.may_show(code, row)}
        rows += [item_row] * len(own)
        columns += sorted(own)
    shape = (len(catalogue), len(catalogue.entity_ids))
    matrix = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    lengths = np.sqrt(np.asarray(matrix.sum(axis=1)).ravel())
    return sp.csr_array(sp.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ matrix)


def _dense(product: object) -> object:
    return product.toarray() if isinstance(product, sp.csr_array) else product


_sorted_shares, _vectors = PerCatalogue(_shares), PerCatalogue(_entity_vectors)
