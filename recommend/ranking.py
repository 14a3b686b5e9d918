"""A score for every item as named parts, which items may be shown, and the best of them in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.answers import LeftOut, Part
from recommend.filter import compile_filter
from recommend.request import RecommendRequest
from recommend.subject import Subject
from recommend.world import View

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ranking:
    """parts: name -> (I,) that sum to the score. evidence (I,): an item at or below 0 is not worth showing.

    strategy: as in a RankedList. fallback: the answer is about everybody, for want of something better.
    """

    strategy: str
    fallback: bool
    parts: Mapping[str, Floats]
    evidence: Floats

    @cached_property
    def total(self) -> NDArray[np.float64]:
        """(I,) the scores."""
        return np.sum([part.astype(np.float64) for part in self.parts.values()], axis=0)

    def parts_of(self, item_row: int, positive: float) -> tuple[Part, ...]:
        """The parts of one score; positive: what shares are a share of (0: shares are 0)."""
        values = {name: float(part[item_row]) for name, part in self.parts.items()}
        return tuple(Part(name=name, value=value, share=share_of(value, positive)) for name, value in values.items())


@dataclass(frozen=True)
class Choice:
    """Item rows in the order they are shown, and asked-for items that are not."""

    item_rows: tuple[int, ...]
    left_out: tuple[LeftOut, ...]


def share_of(value: float, positive: float) -> float:
    return value / positive if positive > 0 else 0.0


def choose(view: View, subject: Subject, request: RecommendRequest, ranking: Ranking, now_ms: int) -> Choice:
    """The items of the answer: asked-for ones, or the best that may be shown. Raises: InvalidRequest for the filter."""
    missing = tuple(LeftOut(item_id=item_id, code="unknown_item") for item_id in subject.missing)
    matches = _Matches(view, request)
    if request.item_ids is not None:
        rows, left_out = _asked_for(view, subject, request.item_ids, matches, now_ms)
        return Choice(_best(view, ranking, rows, request.length), missing + left_out)
    allowed = view.catalogue.available & (ranking.evidence > 0)
    barred = subject.hidden(now_ms) | (subject.seen if request.exclude_seen else _looked_at(subject))
    allowed[list(barred)] = False
    if request.filter is None and request.item_kind is None:
        return Choice(_best(view, ranking, np.flatnonzero(allowed), request.length), missing)
    rows = np.array([row for row in np.flatnonzero(allowed).tolist() if matches(row)], np.int64)
    return Choice(_best(view, ranking, rows, request.length), missing)


def rank_of(view: View, subject: Subject, ranking: Ranking, item_row: int, now_ms: int) -> int | None:
    """The 1-based place of an item among all that could be shown; None when it could not."""
    allowed = view.catalogue.available & (ranking.evidence > 0)
    allowed[list(subject.seen | subject.hidden(now_ms))] = False
    if not allowed[item_row]:
        return None
    scores, score = ranking.total, ranking.total[item_row]
    ahead = int(np.count_nonzero(scores[allowed] > score))
    equals = np.flatnonzero(allowed & (scores == score))
    return 1 + ahead + sum(view.catalogue.item_ids[row] < view.catalogue.item_ids[item_row] for row in equals)


def _asked_for(
    view: View, subject: Subject, item_ids: tuple[str, ...], matches: "_Matches", now_ms: int
) -> tuple[NDArray[np.int64], tuple[LeftOut, ...]]:
    rows: list[int] = []
    left_out: list[LeftOut] = []
    hidden = subject.hidden(now_ms)
    for item_id in item_ids:
        row = view.catalogue.item_rows.get(item_id)
        if row is None:
            left_out.append(LeftOut(item_id=item_id, code="unknown_item"))
        elif not view.catalogue.available[row]:
            left_out.append(LeftOut(item_id=item_id, code="unavailable"))
        elif row in hidden:
            left_out.append(LeftOut(item_id=item_id, code="hidden"))
        elif not matches(row):
            left_out.append(LeftOut(item_id=item_id, code="filtered"))
        else:
            rows.append(row)
    return np.array(rows, np.int64), tuple(left_out)


class _Matches:
    """Whether an item row passes the kind and the filter of a request."""

    def __init__(self, view: View, request: RecommendRequest) -> None:
        self._view = view
        self._kind = request.item_kind
        self._test = None
        if request.filter is not None:
            self._test = compile_filter(request.filter, view.catalogue.field_names)

    def __call__(self, row: int) -> bool:
        if self._kind is not None and self._view.catalogue.item_kinds[row] != self._kind:
            return False
        return self._test is None or self._test(lambda name: self._view.catalogue.field(row, name))


def _looked_at(subject: Subject) -> frozenset[int]:
    return frozenset(deed.item_row for deed in subject.deeds if deed.source == "context")


def _best(view: View, ranking: Ranking, rows: NDArray[np.int64], n: int) -> tuple[int, ...]:
    """At most n rows by falling score, equal scores by item id."""
    scores = ranking.total[rows]
    if len(rows) > n:
        least = np.partition(scores, len(rows) - n)[len(rows) - n]
        rows, scores = rows[scores >= least], scores[scores >= least]
    order = sorted(range(len(rows)), key=lambda place: (-scores[place], view.catalogue.item_ids[rows[place]]))
    return tuple(int(rows[place]) for place in order[:n])
