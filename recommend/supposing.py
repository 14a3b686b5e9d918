"""What a list would be if the user had also taken some items, or stated a taste: computed, not estimated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from recommend.choice import Choice
from recommend.ports import GraphReader
from recommend.ranking import Floats, Ranking, choose
from recommend.request import RecommendRequest
from recommend.strategies import made_for
from recommend.subject import Deed, Subject, Taste, strongest_kind
from recommend.turn import Turn
from recommend.world import View


@dataclass(frozen=True)
class Outcome:
    """A list, and what it was made of."""

    subject: Subject
    ranking: Ranking
    choice: Choice

    def shows(self, row: int) -> bool:
        return row in self.choice.item_rows

    def score_of(self, row: int) -> float:
        return float(self.choice.scores[row])


@dataclass(frozen=True)
class Supposing:
    """Makes lists for one request. Takes its turn for each, so that others are not kept waiting for all of them."""

    view: View
    request: RecommendRequest
    now_ms: int
    graph: GraphReader | None
    turn: Turn

    def as_it_is(self, subject: Subject) -> Outcome:
        """Raises: InvalidRequest for the filter."""
        with self.turn:
            ranking, _ = made_for(self.view, subject, self.request, self.graph)
            return Outcome(subject, ranking, choose(self.view, subject, self.request, ranking, self.now_ms))

    def taking(self, subject: Subject, rows: Sequence[int]) -> Outcome:
        """With an event of the strongest kind on each of the items, now."""
        kind, value = strongest_kind(self.view.declaration)
        context = tuple(deed for deed in subject.deeds if deed.source == "context")
        before = subject.deeds[: len(subject.deeds) - len(context)]
        added = tuple(Deed(row, kind, value, self.now_ms, "log") for row in rows)
        faded = {row: factor for row, factor in subject.faded.items() if row not in rows}
        return self.as_it_is(replace(subject, deeds=(*before, *added, *context), faded=faded))

    def stating(self, subject: Subject, entity_row: int) -> Outcome:
        """With one more stated taste."""
        return self.as_it_is(replace(subject, tastes=(*subject.tastes, Taste(entity_row, 1.0, "log"))))


def pulls(view: View, item_row: int) -> Floats:
    """(I,) what an event on each item would roughly give this one; 0 for itself, and without a model."""
    if view.scorer is None:
        return np.zeros(len(view.catalogue), np.float32)
    amounts = view.scorer.pulls(item_row)
    amounts[item_row] = 0
    return amounts
