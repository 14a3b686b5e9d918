"""An explanation as it was asked for: of the score as it is or without some edges, with what would have to go."""

from collections import Counter
from dataclasses import dataclass
from typing import cast

from msgspec.structs import replace

from domain.answers import Change, Counterfactual, Explanation
from domain.errors import GraphRefused, GraphUnavailable
from recommend.adapt import weights_of
from recommend.choice import Choice
from recommend.counterfactual import counterfactual
from recommend.drafts import iso_time
from recommend.explain import Telling, explain, place_of
from recommend.grounds import Splitter
from recommend.ports import GraphReader
from recommend.ranking import Ranking, choose
from recommend.request import RecommendRequest
from recommend.score import Scorer
from recommend.strategies import made_for
from recommend.subject import Subject
from recommend.verify import Verifier
from recommend.without import without
from recommend.world import View

LOOK_UP_S = 1.0


@dataclass(frozen=True)
class Asker:
    """Answers about the list of a request at one moment. graph: None when there is no Neo4j."""

    view: View
    subject: Subject
    request: RecommendRequest
    graph: GraphReader | None
    now_ms: int

    def explain(self, item_row: int, verifier: Verifier, telling: Telling) -> Explanation:
        """Raises: InvalidRequest for what it should be without; GraphUnavailable when only Neo4j knows that."""
        made = self._made(self.subject)
        if not self.request.without:
            return self._explained(self.subject, made, item_row, verifier, telling)
        subject = without(self.view, self.subject, self.request.without, self.graph)
        found = self._explained(subject, self._made(subject), item_row, verifier, telling)
        return replace(found, change=self._change(subject, made, item_row, found))

    def counterfactual(self, item_row: int) -> Counterfactual:
        """What would have to go for the item to leave the list, with the ids of the events where Neo4j answers."""
        subject = self.subject
        if self.request.without:
            subject = without(self.view, subject, self.request.without, self.graph)
        ranking, _, choice = self._made(subject)
        found = counterfactual(self.view, subject, ranking, choice, item_row, lambda to: self._remade(subject, to))
        return self._with_event_ids(found)

    def _made(self, subject: Subject) -> tuple[Ranking, Splitter, Choice]:
        ranking, splitter = made_for(self.view, subject, self.request, self.graph)
        return ranking, splitter, choose(self.view, subject, self.request, ranking, self.now_ms)

    def _remade(self, before: Subject, changed: Subject) -> tuple[Ranking, Choice]:
        """The list of the changed user; what was seen before stays out of it."""
        ranking, _ = made_for(self.view, changed, self.request, self.graph)
        return ranking, choose(self.view, before, self.request, ranking, self.now_ms)

    def _explained(
        self,
        subject: Subject,
        made: tuple[Ranking, Splitter, Choice],
        item_row: int,
        verifier: Verifier,
        telling: Telling,
    ) -> Explanation:
        ranking, splitter, choice = made
        return explain(self.view, subject, ranking, choice, splitter, item_row, verifier, telling)

    def _change(
        self, subject: Subject, made: tuple[Ranking, Splitter, Choice], item_row: int, found: Explanation
    ) -> Change:
        _, _, choice = made
        score = float(choice.scores[item_row])
        return Change(
            without=self.request.without,
            score=score,
            rank=place_of(choice, item_row),
            score_change=found.score - score,
            stated_change=-self._stated(subject, item_row),
        )

    def _stated(self, subject: Subject, item_row: int) -> float:
        """What the terms that are gone had added to the score: those of masked entities, and of missing events."""
        scorer = self.view.scorer
        if scorer is None:
            return 0.0
        weighted, lost = weights_of(self.view, self.subject), _lost(scorer, self.subject, subject)
        terms = scorer.entity_columns(weighted, item_row)
        columns = zip(terms.event_item_rows.tolist(), terms.entity_rows.tolist(), terms.values.tolist(), strict=True)
        entity = sum(
            value * (1.0 if entity in subject.masked else lost.get(row, 0.0)) for row, entity, value in columns
        )
        behaviour = zip(weighted.item_rows.tolist(), scorer.behaviour_terms(weighted, item_row).tolist(), strict=True)
        return entity + sum(value * lost.get(row, 0.0) for row, value in behaviour)

    def _with_event_ids(self, found: Counterfactual) -> Counterfactual:
        if self.graph is None or not found.removed or self.request.user_id is None:
            return found
        asked = {"user_id": self.request.user_id, "item_ids": [one.item_id for one in found.removed]}
        try:
            rows = self.graph.rows("explain/events_with_items", asked, timeout_s=LOOK_UP_S)
        except (GraphUnavailable, GraphRefused):
            return found
        ids = {
            (row["item_id"], row["kind"], iso_time(cast(int, row["at"]))): cast(str, row["event_id"]) for row in rows
        }
        removed = (
            replace(one, events=tuple(replace(e, event_id=ids.get((one.item_id, e.kind, e.at))) for e in one.events))
            for one in found.removed
        )
        return replace(found, removed=tuple(removed))


def _lost(scorer: Scorer, before: Subject, after: Subject) -> dict[int, float]:
    """item row -> which share of its weight the missing events had; only for items of which one is missing."""
    counts, left = (Counter(deed.item_row for deed in subject.deeds) for subject in (before, after))
    old, new = scorer.weigh(before.events), scorer.weigh(after.events)
    weights = dict(zip(new.item_rows.tolist(), new.weights.tolist(), strict=True))
    pairs = zip(old.item_rows.tolist(), old.weights.tolist(), strict=True)
    return {row: 1 - weights.get(row, 0.0) / weight for row, weight in pairs if weight and counts[row] != left[row]}
