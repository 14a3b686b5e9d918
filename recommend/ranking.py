"""A score for every item as named parts, which items may be shown, and the best of them in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.answers import LeftOut, Part
from recommend.choice import Choice, Removal, best_rows
from recommend.exclusions import Exclusions
from recommend.request import RecommendRequest
from recommend.subject import Subject
from recommend.world import View

Floats = NDArray[np.float32]
ASKED_CODES = {"item_kind": "filtered"}  # Removal code -> LeftOut code, where they differ


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


def share_of(value: float, positive: float) -> float:
    return value / positive if positive > 0 else 0.0


def choose(view: View, subject: Subject, request: RecommendRequest, ranking: Ranking, now_ms: int) -> Choice:
    """The items of the answer: asked-for ones, or the best that may be shown. Raises: InvalidRequest for the filter."""
    exclusions = Exclusions(view, subject, request, ranking.evidence, now_ms)
    item_ids = view.catalogue.item_ids
    return Choice(
        item_rows=best_rows(ranking.total, exclusions.allowed_rows, request.length, item_ids),
        left_out=_left_out(view, subject, request, exclusions),
        scores=ranking.total,
        model_scores=ranking.total,
        removal_of=exclusions.removal_of,
        item_ids=item_ids,
        length=request.length,
        asked_rows=exclusions.asked_rows,
    )


def _left_out(view: View, subject: Subject, request: RecommendRequest, exclusions: Exclusions) -> tuple[LeftOut, ...]:
    """Asked-for items and items of a session that are not ranked."""
    left_out = [LeftOut(item_id=item_id, code="unknown_item") for item_id in subject.missing]
    for item_id in request.item_ids or ():
        row = view.catalogue.item_rows.get(item_id)
        removal = Removal("unknown_item") if row is None else exclusions.removal_of(row)
        if removal is not None:
            left_out.append(LeftOut(item_id=item_id, code=ASKED_CODES.get(removal.code, removal.code)))
    return tuple(left_out)


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
