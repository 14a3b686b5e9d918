"""The reasons of a served score as numbers: which terms each takes together, so that they can be taken away.

The same reasons as recommend.split_model gives, restated on arrays: a bench that used that code could not doubt it.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from embeddings.artifact import Artifact
from recommend.behaviour import Behaviour, Shares
from recommend.history import Histories, Weighted
from recommend.score import Scorer

Doubles = NDArray[np.float64]
Places = NDArray[np.int64]

ENTITY, BEHAVIOUR = "same_entity", "taken_together"
LEAST_OTHERS, MOST_LOOKED_AT = 5, 1 << 16
MOST_SHOWN, LEAST_SHARE, WEAK = 3, 0.02, 0.15


@dataclass(frozen=True)
class Shown:
    """A reason. value: the stated amount. columns: the shared features, which are of one relation; the strongest first.

    events: rows of the user's items that it covers; the first one is in the path that is shown.
    """

    code: str
    value: float
    columns: tuple[int, ...]
    events: tuple[int, ...]

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """What it says, whatever it weighs: the shared features, or the event."""
        return self.code, self.columns or self.events[:1]


@dataclass(frozen=True)
class Served:
    """A model, the features it was trained on, and the histories of its users.

    features: (I, K) float64. takers: per item, the user rows that took it.
    """

    snapshot: Snapshot
    scorer: Scorer
    behaviour: Behaviour
    features: sp.csr_array
    histories: Histories
    takers: tuple[Places, ...] = field(repr=False)

    @classmethod
    def of(cls, artifact: Artifact) -> "Served":
        weights, snapshot = artifact.weights, artifact.snapshot
        parts = (weights.features_data.astype(np.float64), weights.features_indices, weights.features_indptr)
        shape = (len(snapshot.item_ids), len(weights.feature_entities))
        rows = np.split(weights.takers_rows.astype(np.int64), weights.takers_indptr[1:-1])
        histories = Histories(snapshot.interactions, len(snapshot.user_ids))
        return cls(
            snapshot, Scorer(artifact), Behaviour(weights), sp.csr_array(parts, shape=shape), histories, tuple(rows)
        )


@dataclass(frozen=True)
class Asked:
    """A user. rows, plain, amounts: (h,) items that count, their weights times the user's frozen normaliser, and these
    as far as the history is trusted; shares: that, and what N counts.

    profile: (K,) Σ amounts_h F_h. allowed: (I,) what may be in the list. total: (I,) scores. top: rows, best first.
    """

    user_row: int
    weighted: Weighted
    rows: Places
    plain: Doubles
    amounts: Doubles
    shares: Shares
    profile: Doubles
    allowed: NDArray[np.bool_]
    total: NDArray[np.float32]
    taste: NDArray[np.float32]
    top: Places


def ask(served: Served, user_row: int, n: int) -> Asked:
    """What the model serves to a user of its snapshot: the best n items that they have not had."""
    events = served.histories[user_row]
    weighted = served.scorer.weigh(events)
    counts = weighted.weights != 0
    rows = weighted.item_rows[counts].astype(np.int64)
    plain, shares = served.scorer.plain_amounts(weighted).astype(np.float64), served.scorer.shares(weighted)
    amounts = plain * shares.trust
    scores = served.scorer.score(weighted)
    allowed = served.snapshot.item_available.copy()
    allowed[events.item_rows] = False
    top = served.scorer.top(scores.total, n, allowed)
    profile = np.asarray(served.features[rows].T @ amounts)
    return Asked(user_row, weighted, rows, plain, amounts, shares, profile, allowed, scores.total, scores.taste, top)


def reasons_of(served: Served, asked: Asked, item_row: int) -> tuple[float, list[Shown]]:
    """The sum of the positive terms of a score, and its reasons with a path, the strongest first."""
    scale = float(served.scorer.weights.target_scale[item_row])
    target = served.features[[item_row]]
    terms = served.features[asked.rows][:, target.indices].toarray() * target.data * asked.amounts[:, None] * scale
    terms[asked.rows == item_row] = 0
    counted = np.flatnonzero(asked.weighted.weights != 0)
    behaviour = served.scorer.behaviour_terms(asked.weighted, item_row)[counted].astype(np.float64)
    rest = (float(asked.taste[item_row]), float(served.scorer.weights.bias[item_row]))
    positive = float(terms[terms > 0].sum() + behaviour[behaviour > 0].sum()) + sum(max(0.0, one) for one in rest)
    found = _together(served, asked, behaviour, item_row)
    is_told = any(one.value >= WEAK * positive for one in found)
    wanted = 0 if is_told else WEAK * positive
    found += _entities(served, asked, terms, target.indices, wanted=wanted, least=LEAST_SHARE * positive)
    return positive, sorted(found, key=lambda one: -one.value)


def shown_of(reasons: list[Shown], positive: float) -> list[Shown]:
    """Those of a list's three: the strongest, and others of two per cent and more, both kinds where there are both."""
    told = reasons[:1] + [one for one in reasons[1:] if one.value >= LEAST_SHARE * positive]
    chosen = told[:MOST_SHOWN]
    if len({one.code for one in chosen}) == 1:
        other = [one for one in told if one.code != chosen[0].code]
        chosen = [*chosen[: MOST_SHOWN - 1], other[0]] if other else chosen
    return chosen


def _entities(
    served: Served, asked: Asked, terms: Doubles, columns: NDArray[np.int32], *, wanted: float, least: float
) -> list[Shown]:
    """One reason per feature: its positive terms, over all events that share it.

    wanted: where none weighs as much, the features of each relation that do together are one reason.
    least: what a reason weighs to be told; those of them that would read alike are one.
    """
    kept, relations = np.maximum(terms, 0), served.scorer.weights.feature_relations
    shared = np.flatnonzero(kept.any(axis=0)).tolist()
    singles = [_entity(asked, kept, columns, [place]) for place in shared]
    alike: dict[object, list[int]] = {}
    for place, one in zip(shared, singles, strict=True):
        alike.setdefault(_reading(served, one) if one.value >= least else one.key, []).append(place)
    apart = [_entity(asked, kept, columns, places) for places in alike.values()]
    if any(one.value >= wanted for one in singles):
        return apart
    by_relation = {relation: [p for p in shared if relations[columns[p]] == relation] for relation in set(relations)}
    together = [_entity(asked, kept, columns, places) for places in by_relation.values() if places]
    enough = [one for one in together if one.value >= wanted]
    covered = {column for one in enough for column in one.columns}
    return enough + [one for one in apart if one.columns[0] not in covered]


def _reading(served: Served, one: Shown) -> object:
    """What tells one feature's reason apart: its entity, or, where that has no name, the relation and a single item."""
    weights, (column,) = served.scorer.weights, one.columns
    if served.snapshot.entity_names[int(weights.feature_entities[column])] is not None:
        return one.key
    return int(weights.feature_relations[column]), one.events if len(one.events) == 1 else ()


def _entity(asked: Asked, kept: Doubles, columns: NDArray[np.int32], places: list[int]) -> Shown:
    """The reason of these features together."""
    order = sorted(places, key=lambda place: -float(kept[:, place].sum()))
    first = int(np.argmax(kept[:, order[0]]))
    events = [first, *(row for row in np.flatnonzero(kept[:, places].any(axis=1)).tolist() if row != first)]
    value, features = float(kept[:, places].sum()), tuple(int(columns[place]) for place in order)
    return Shown(ENTITY, value, features, tuple(asked.rows[events].tolist()))


def _together(served: Served, asked: Asked, behaviour: Doubles, item_row: int) -> list[Shown]:
    """One reason for the events whose items enough other people took together with this one."""
    events: list[int] = []
    value, looked_at = 0.0, 0
    for place in np.argsort(-behaviour, kind="stable").tolist():
        row = int(asked.rows[place])
        looked_at += len(served.takers[row])
        if behaviour[place] <= 0 or looked_at > MOST_LOOKED_AT:
            break
        both = np.intersect1d(served.takers[row], served.takers[item_row], assume_unique=True)
        if asked.amounts[place] > 0 and len(both) - int(asked.user_row in both) >= LEAST_OTHERS:
            events.append(row)
            value += float(behaviour[place])
    return [Shown(BEHAVIOUR, value, (), tuple(events))] if events else []
