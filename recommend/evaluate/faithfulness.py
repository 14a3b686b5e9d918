"""Whether reasons are true: each is taken away, and what the score does is compared with what was stated.

Sources: removal and sufficiency after DeYoung et al., ACL 2020 (comprehensiveness, sufficiency); LIR, SEP and ETD after
Balloccu et al., SIGIR 2022, with their decay of 0.3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from domain.snapshot import Snapshot
from recommend.evaluate.removal import Edge, edges_of, masked_change, only, random_edges, rank_in, scores_without
from recommend.evaluate.shown import (
    BEHAVIOUR,
    ENTITY,
    LEAST_OTHERS,
    WEAK,
    Asked,
    Doubles,
    Served,
    Shown,
    ask,
    reasons_of,
)
from recommend.evaluate.shown import shown_of as shown

LIST, SUFFICIENT, MOST_REASONS, DECAY = 10, 50, 5, 0.3


@dataclass(frozen=True)
class Told:
    """One item of a list and its reasons. positive: the sum of its positive terms.

    reasons: all that have a path, strongest first; pathless: what similarity and popularity add, where they do.
    """

    asked: Asked
    item_row: int
    positive: float
    reasons: tuple[Shown, ...]
    pathless: tuple[float, ...]
    shown: tuple[Shown, ...]


@dataclass
class Sums:
    """What was measured, one entry per item or per reason."""

    stated: list[float] = field(default_factory=list[float])
    masked: list[float] = field(default_factory=list[float])
    renormalised: list[float] = field(default_factory=list[float])
    codes: list[str] = field(default_factory=list[str])
    drops: list[float] = field(default_factory=list[float])
    random_drops: list[float] = field(default_factory=list[float])
    falls: list[float] = field(default_factory=list[float])
    random_falls: list[float] = field(default_factory=list[float])
    alone: list[float] = field(default_factory=list[float])
    valid: list[bool] = field(default_factory=list[bool])


def told_of(served: Served, users: Sequence[int]) -> Iterator[Told]:
    """The lists of these users of the snapshot, item by item."""
    for user_row in users:
        asked = ask(served, user_row, LIST)
        for item_row in asked.top.tolist():
            positive, reasons = reasons_of(served, asked, item_row)
            rest = (float(asked.taste[item_row]), float(served.scorer.weights.bias[item_row]))
            pathless = tuple(max(0.0, value) for value in rest)
            yield Told(asked, item_row, positive, tuple(reasons), pathless, tuple(shown(reasons, positive)))


def faithfulness(served: Served, told: Sequence[Told], *, seed: int) -> dict[str, float]:
    """Every figure over these items, those of empty lists left out; NaN where nothing could be measured."""
    rng, sums, truth = np.random.default_rng(seed), Sums(), Truth(served.snapshot)
    for one in told:
        if one.shown:
            _measure(served, one, sums, truth, rng)
    return {**_coverage(told), **_removal(sums), **path_quality(served, told)}


def _measure(served: Served, one: Told, sums: Sums, truth: "Truth", rng: np.random.Generator) -> None:
    asked, item_row = one.asked, one.item_row
    for reason in one.shown:
        sums.stated.append(reason.value)
        sums.codes.append(reason.code)
        sums.masked.append(masked_change(served, asked, item_row, reason))
        changed = scores_without(served, asked, edges_of(item_row, reason))
        sums.renormalised.append(float(asked.total[item_row]) - float(changed[item_row]))
        sums.valid.append(truth.holds(served, asked.user_row, item_row, reason))
    before = rank_in(asked.total.astype(np.float64), asked.allowed, item_row)
    edges, others = list[Edge](), list[Edge]()
    for reason in one.shown:  # as many of both: where few others are left, only the strongest of the reason's go
        drawn = random_edges(served, asked, item_row, reason, rng)
        edges += edges_of(item_row, reason)[: max(1, len(drawn))]
        others += drawn
    for taken, drops, falls in (
        (edges, sums.drops, sums.falls),
        (others, sums.random_drops, sums.random_falls),
    ):
        scores = scores_without(served, asked, taken)
        drops.append(rank_in(scores, asked.allowed, item_row) - before)
        falls.append(float(asked.total[item_row]) - float(scores[item_row]))
    sums.alone.append(rank_in(only(served, asked, one.shown), asked.allowed, item_row))


def _removal(sums: Sums) -> dict[str, float]:
    stated, masked, new = (np.asarray(values) for values in (sums.stated, sums.masked, sums.renormalised))
    codes = np.asarray(sums.codes)
    drops, others = np.asarray(sums.drops), np.asarray(sums.random_drops)
    return {
        "masked_equals_stated": float(np.mean(np.abs(stated - masked) <= 1e-4 * np.maximum(1, np.abs(stated)))),
        "masked_largest_error": float(np.max(np.abs(stated - masked), initial=0)),
        "spearman_renormalised": spearman(stated, new),
        "spearman_renormalised_entity": spearman(stated[codes == ENTITY], new[codes == ENTITY]),
        "spearman_renormalised_behaviour": spearman(stated[codes == BEHAVIOUR], new[codes == BEHAVIOUR]),
        "rank_drop_shown_median": float(np.median(drops)),
        "rank_drop_random_median": float(np.median(others)),
        "rank_drop_shown_mean": float(np.mean(drops)),
        "rank_drop_random_mean": float(np.mean(others)),
        "score_fall_shown_median": float(np.median(sums.falls)),
        "score_fall_random_median": float(np.median(np.abs(sums.random_falls))),
        "sufficient_in_top_50": float(np.mean(np.asarray(sums.alone) <= SUFFICIENT)),
        "path_validity": float(np.mean(sums.valid)),
    }


def spearman(left: Doubles, right: Doubles) -> float:
    """The rank correlation; NaN for fewer than three pairs, or equal values."""
    if len(left) < 3 or not (np.ptp(left) > 0 and np.ptp(right) > 0):
        return float("nan")
    ranks = np.vstack([rankdata(left), rankdata(right)])
    return float(np.corrcoef(ranks)[0, 1])


def _coverage(told: Sequence[Told]) -> dict[str, float]:
    """coverage: items with a path that explains 15 % or more; coverage_any: with any path.

    explained_share: of the positive terms, by the five strongest reasons of any kind; …_by_paths: by the five
    strongest that have a path.
    """
    best = [one.shown[0].value / one.positive if one.shown else 0.0 for one in told]
    by_paths = [_share([reason.value for reason in one.reasons], one.positive) for one in told]
    explained = [_share([*(reason.value for reason in one.reasons), *one.pathless], one.positive) for one in told]
    return {
        "items": float(len(told)),
        "users": float(len({one.asked.user_row for one in told})),
        "coverage": float(np.mean([share >= WEAK for share in best])),
        "coverage_any": float(np.mean([share > 0 for share in best])),
        "explained_share_median": float(np.median(explained)),
        "explained_share_by_paths_median": float(np.median(by_paths)),
    }


def _share(values: list[float], positive: float) -> float:
    """What the five largest are of the positive terms; 0 where there are none."""
    return sum(sorted(values, reverse=True)[:MOST_REASONS]) / positive if positive > 0 else 0.0


class Truth:
    """What the data says, without the model: does the path of a reason exist, edge by edge."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        events = snapshot.interactions
        self._events = np.unique(events.user_rows.astype(np.int64) * len(snapshot.item_ids) + events.item_rows)
        self._num_items = len(snapshot.item_ids)

    @cached_property
    def _relations(self) -> dict[int, frozenset[tuple[int, int]]]:
        codes = self._snapshot.declaration.relation_code
        return {
            codes[one.type]: frozenset(zip(one.heads.tolist(), one.tails.tolist(), strict=True))
            for one in self._snapshot.relations
            if one.type in codes
        }

    def took(self, user_row: int, item_row: int) -> bool:
        key = user_row * self._num_items + item_row
        place = int(np.searchsorted(self._events, key))
        return place < len(self._events) and int(self._events[place]) == key

    def holds(self, served: Served, user_row: int, item_row: int, reason: Shown) -> bool:
        """Each edge of the path that is shown, and of those that it stands for."""
        if not reason.events or not all(self.took(user_row, row) for row in reason.events):
            return False
        if reason.code == BEHAVIOUR:
            return all(self._others(row, item_row, user_row) for row in reason.events)
        weights = served.scorer.weights
        pairs = self._relations[int(weights.feature_relations[reason.columns[0]])]
        entities = weights.feature_entities[list(reason.columns)].tolist()
        is_shown = (reason.events[0], entities[0]) in pairs
        has_all = all((item_row, entity_row) in pairs for entity_row in entities)
        return is_shown and has_all and all(any((row, one) in pairs for one in entities) for row in reason.events)

    def _others(self, left: int, right: int, user_row: int) -> bool:
        return len((self._takers[left] & self._takers[right]) - {user_row}) >= LEAST_OTHERS

    @cached_property
    def _takers(self) -> list[frozenset[int]]:
        events = self._snapshot.interactions
        order = np.argsort(events.item_rows, kind="stable")
        ends = np.searchsorted(events.item_rows[order], np.arange(1, self._num_items))
        return [frozenset(rows.tolist()) for rows in np.split(events.user_rows[order], ends)]


def path_quality(served: Served, told: Sequence[Told]) -> dict[str, float]:
    """LIR: how recent the linking event is among the user's; SEP: how known the shared entity is among its type; ETD:
    how many kinds of path a list has, of those that it could have. 0 to 1 each, of the first reason of each item."""
    weights, histories = served.scorer.weights, served.histories
    popularity = _entity_popularity(served)
    recency, known, kinds = list[float](), list[float](), dict[int, set[int]]()
    per_user: dict[int, dict[int, float]] = {}
    for one in told:
        if not one.shown:
            continue
        reason, user_row = one.shown[0], one.asked.user_row
        if user_row not in per_user:
            events = histories[user_row]
            per_user[user_row] = dict(
                zip(events.item_rows.tolist(), smoothed(events.at.astype(np.float64)), strict=True)
            )
        recency.append(per_user[user_row][reason.events[0]])
        kind = int(weights.feature_relations[reason.columns[0]]) if reason.columns else -1
        kinds.setdefault(user_row, set()).add(kind)
        known += [float(popularity[column]) for column in reason.columns[:1]]
    possible = min(LIST, len(np.unique(weights.feature_relations)) + 1)
    etd = [len(of_user) / possible for of_user in kinds.values()]
    return {name: float(np.mean(values)) for name, values in (("lir", recency), ("sep", known), ("etd", etd)) if values}


def smoothed(values: Doubles) -> Doubles:
    """(n,) the decaying average of ascending values, brought to 0 … 1: v_1, then 0.7 of the last and 0.3 of the next.

    Equal values: 1 each.
    """
    order = np.argsort(values, kind="stable")
    average = np.empty(len(values))
    for place, row in enumerate(order.tolist()):
        average[row] = values[row] if place == 0 else (1 - DECAY) * average[order[place - 1]] + DECAY * values[row]
    spread = float(np.ptp(average)) if len(values) else 0.0
    return (average - average.min()) / spread if spread > 0 else np.ones(len(values))


def _entity_popularity(served: Served) -> Doubles:
    """(K,) of each feature, among those of its relation, by the number of items."""
    weights = served.scorer.weights
    counts = np.bincount(weights.features_indices, minlength=len(weights.feature_entities)).astype(np.float64)
    found = np.zeros(len(counts))
    for relation in np.unique(weights.feature_relations):
        of_type = weights.feature_relations == relation
        found[of_type] = smoothed(counts[of_type])
    return found


def stability(left: Sequence[Told], right: Sequence[Told]) -> dict[str, float]:
    """Of two models of the same data: how far the reasons of an item agree that both put into a user's list.

    stability: the mean Jaccard overlap of the reasons shown; list_overlap: of the lists' items.
    """
    first = {(one.asked.user_row, one.item_row): one for one in left}
    second = {(one.asked.user_row, one.item_row): one for one in right}
    both = first.keys() & second.keys()
    overlaps: list[float] = []
    for pair in sorted(both):
        a, b = ({reason.key for reason in one[pair].shown} for one in (first, second))
        if a | b:
            overlaps.append(len(a & b) / len(a | b))
    whole = len(first.keys() | second.keys())
    return {
        "stability": float(np.mean(overlaps)) if overlaps else float("nan"),
        "list_overlap": len(both) / whole if whole else float("nan"),
    }


def chosen_users(snapshot: Snapshot, count: int, seed: int) -> list[int]:
    """Warm users drawn by seed: of those with at least five events."""
    counts: NDArray[np.int64] = np.bincount(snapshot.interactions.user_rows, minlength=len(snapshot.user_ids))
    warm = np.flatnonzero(counts >= 5)
    return np.sort(np.random.default_rng(seed).permutation(warm)[:count]).tolist()
