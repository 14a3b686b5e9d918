"""What a score becomes when the terms or the edges of a reason are taken away."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.weighting import trust_in
from recommend.evaluate.shown import BEHAVIOUR, Asked, Doubles, Served, Shown
from recommend.history import Weighted
from recommend.new_items import composed


@dataclass(frozen=True)
class Edge:
    """An edge of the graph. item_row −1: between the user and `other`, an item; else of that item and a feature."""

    item_row: int
    other: int


def masked_change(served: Served, asked: Asked, item_row: int, reason: Shown) -> float:
    """How far the item's score falls when the reason's terms are not there, everything else frozen.

    The score is made again as a whole, with and without: nothing is taken from how the reason was found.
    """
    scale = float(served.scorer.weights.target_scale[item_row])
    if reason.code == BEHAVIOUR:
        left = ~np.isin(asked.rows, reason.events)
        kept = _behaviour(served, asked, left)[item_row]
        whole = _behaviour(served, asked, np.ones_like(left))[item_row]
        return float(whole - kept) * scale
    liked = np.isin(asked.rows, reason.events)
    without = asked.profile.copy()
    columns = np.array(reason.columns)
    without[columns] -= asked.amounts[liked] @ served.features[asked.rows[liked]][:, columns].toarray()
    features = served.features[[item_row]]
    return float((asked.profile - without)[features.indices] @ features.data) * scale


def scores_without(served: Served, asked: Asked, edges: Sequence[Edge]) -> Doubles:
    """(I,) the scores when edges are deleted and everything is normalised anew; the learned weights stay.

    An item without an edge has its other features of that relation weigh more, and a vector composed without it.
    A user without an event has the others weigh more.
    """
    gone = [edge.other for edge in edges if edge.item_row < 0]
    kept = ~np.isin(asked.weighted.item_rows, gone)
    weighted = Weighted(asked.weighted.item_rows[kept], asked.weighted.weights[kept])
    scores = served.scorer.score(weighted) if gone else served.scorer.score(asked.weighted)
    total = scores.total.astype(np.float64)
    user = _user(served, weighted)
    for item_row in {edge.item_row for edge in edges if edge.item_row >= 0}:
        columns = {edge.other for edge in edges if edge.item_row == item_row}
        _change_item(served, total, user, item_row, columns)
    return total


def rank_in(scores: Doubles, allowed: NDArray[np.bool_], item_row: int) -> float:
    """The 1-based place of an item among those that are allowed; the middle one among equals."""
    others = scores[allowed]
    above, equal = (others > scores[item_row]).sum(), (others == scores[item_row]).sum()
    return float(above) + (float(equal) + 1) / 2


def only(served: Served, asked: Asked, reasons: Sequence[Shown]) -> Doubles:
    """(I,) scores of all items from nothing but what these reasons rest on: their features, and their events' R."""
    columns = sorted({column for reason in reasons for column in reason.columns})
    events = [row for reason in reasons if reason.code == BEHAVIOUR for row in reason.events]
    entity = np.asarray(served.features[:, columns] @ asked.profile[columns])
    behaviour = _behaviour(served, asked, np.isin(asked.rows, events))
    return np.asarray((entity + behaviour) * served.scorer.weights.target_scale, np.float64)


def edges_of(item_row: int, reason: Shown) -> list[Edge]:
    """What is deleted of a reason: the item's edges that it names, or for a behavioural one the events it covers."""
    if reason.code == BEHAVIOUR:
        return [Edge(-1, row) for row in reason.events]
    return [Edge(item_row, column) for column in reason.columns]


def random_edges(served: Served, asked: Asked, item_row: int, reason: Shown, rng: np.random.Generator) -> list[Edge]:
    """As many other edges of the same type, drawn from those of the item and of the user's items; fewer where few."""
    if reason.code == BEHAVIOUR:
        others = np.setdiff1d(asked.rows, reason.events)
        return [Edge(-1, int(row)) for row in rng.permutation(others)[: len(reason.events)]]
    relation = served.scorer.weights.feature_relations[reason.columns[0]]
    found: list[Edge] = []
    for row in (item_row, *asked.rows.tolist()):
        columns = served.features[[row]].indices
        of_type = columns[served.scorer.weights.feature_relations[columns] == relation]
        found += [Edge(row, int(column)) for column in of_type if row != item_row or column not in reason.columns]
    return [found[place] for place in rng.permutation(len(found))[: len(reason.columns)].tolist()]


def _behaviour(served: Served, asked: Asked, kept: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(I,) what these of the user's items give through R and N."""
    rows, amounts = asked.rows[kept].astype(np.int32), asked.plain[kept].astype(np.float32)
    return served.behaviour.of_user(rows, amounts, len(served.scorer.item_ids), asked.shares)


@dataclass(frozen=True)
class _User:
    """profile (K,) and taste vector (d,) of what is left of a user; amounts: item row -> its frozen weight."""

    profile: Doubles
    taste: Doubles
    amounts: dict[int, float]


def _user(served: Served, weighted: Weighted) -> _User:
    scorer = served.scorer
    counts = weighted.weights != 0
    rows, weights = weighted.item_rows[counts], weighted.weights[counts].astype(np.float64)
    own = float(weights @ weights)
    normalisation = scorer.normalisation
    trust = trust_in(own, normalisation.half_size)
    amounts = weights * (trust * own**-normalisation.linear_power if own > 0 else 0)
    taste = (weights * (own**-normalisation.taste_power if own > 0 else 0)) @ scorer.weights.taste_context[rows]
    if normalisation.taste_length:
        length = float(np.linalg.norm(taste))
        taste = taste / length if length > 0 else taste
    profile = np.asarray(served.features[rows].T @ amounts)
    return _User(profile, taste * trust, dict(zip(rows.tolist(), amounts.tolist(), strict=True)))


def _change_item(served: Served, total: Doubles, user: _User, item_row: int, columns: set[int]) -> None:
    """Adds to the scores what changes when an item loses these features."""
    before = served.features[[item_row]].toarray().ravel()
    after = _renormalised(served, before, columns)
    scale = served.scorer.weights.target_scale
    if item_row in user.amounts:  # one of the user's own: every score that goes through it changes
        change = np.asarray(served.features @ (after - before)) * user.amounts[item_row] * scale
        change[item_row] = 0
        total += change
        return
    total[item_row] += float((after - before) @ user.profile) * float(scale[item_row])
    vector = served.scorer.weights.taste_targets[item_row].astype(np.float64)
    changed = vector + _composed(served, np.flatnonzero(after)) - _composed(served, np.flatnonzero(before))
    length = float(np.linalg.norm(changed))
    if served.scorer.normalisation.taste_length and length > 0:
        changed *= float(np.linalg.norm(vector)) / length
    total[item_row] += float((changed - vector) @ user.taste)


def _renormalised(served: Served, features: Doubles, columns: set[int]) -> Doubles:
    """The item's features without some, each relation's others scaled up to the length that all had."""
    weights = served.scorer.weights
    after = features.copy()
    for column in columns:
        after[column] = 0
    for relation in {int(weights.feature_relations[column]) for column in columns}:
        of_type = weights.feature_relations == relation
        left = float(np.sqrt((after[of_type] ** 2).sum()))
        if left > 0:
            after[of_type] *= float(np.sqrt((features[of_type] ** 2).sum())) / left
    return after


def _composed(served: Served, columns: NDArray[np.int64]) -> Doubles:
    """(d,) the vector Q that an item with these features would have."""
    weights = served.scorer.weights
    return composed(weights, columns, weights.compose_targets, weights.entity_targets).astype(np.float64)
