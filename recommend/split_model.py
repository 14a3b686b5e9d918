"""The score of a user with events, split by event, entity and part."""

from collections import defaultdict
from functools import partial

import numpy as np

from domain.answers import Contribution
from recommend import texts
from recommend.drafts import LEAST_OTHERS, DraftPath, Others, attribute_path, behaviour_path
from recommend.grounds import Ground, Split, strongest
from recommend.history import Weighted
from recommend.ranking import Ranking, share_of
from recommend.score import EntityTerm, Scorer
from recommend.subject import Deed, Subject
from recommend.world import View

MOST_ASKED = 8  # behavioural terms whose number of others is looked up
MOST_LISTED = 200  # contributions of one explanation


class ModelSplitter:
    """For the strategies model and session. `ranking` holds entity, behaviour, taste and popularity."""

    def __init__(self, view: View, subject: Subject, scorer: Scorer, weighted: Weighted, ranking: Ranking) -> None:
        self._view = view
        self._subject = subject
        self._scorer = scorer
        self._weighted = weighted
        self._ranking = ranking

    def split(self, item_row: int) -> Split:
        terms = self._scorer.entity_terms(self._weighted, item_row)
        behaviour = self._scorer.behaviour_terms(self._weighted, item_row).astype(np.float64)
        rest = [float(self._ranking.parts[name][item_row]) for name in ("taste", "popularity")]
        positive = sum(term.value for term in terms if term.value > 0) + float(behaviour[behaviour > 0].sum())
        positive += sum(value for value in rest if value > 0)
        grounds = [
            *self._attributes(terms, item_row),
            *self._behaviours(behaviour, item_row),
            *self._others(rest, item_row),
        ]
        return Split(positive, strongest(grounds), lambda: self._contributions(terms, behaviour, item_row, positive))

    def _attributes(self, terms: list[EntityTerm], item_row: int) -> list[Ground]:
        """One ground per relation and entity, over all events that share it."""
        groups: defaultdict[tuple[int, int], list[EntityTerm]] = defaultdict(list)
        for term in terms:
            if term.value > 0:
                groups[term.relation_code, term.entity_row].append(term)
        catalogue = self._view.catalogue
        grounds: list[Ground] = []
        for (code, entity_row), shared in groups.items():
            if catalogue.holds(item_row, code, entity_row):
                kept = [term for term in shared if catalogue.holds(term.event_item_row, code, entity_row)]
                if kept:
                    grounds.append(self._attribute(kept, code, entity_row, item_row))
        return grounds

    def _attribute(self, terms: list[EntityTerm], code: int, entity_row: int, item_row: int) -> Ground:
        witness = self._subject.witnesses[terms[0].event_item_row]
        return Ground(
            code="same_entity",
            value=sum(term.value for term in terms),
            tell=lambda: (
                texts.same_entity(self._view, witness, code, entity_row, events=len(terms)),
                attribute_path(self._view, self._subject, witness, code, entity_row, item_row),
            ),
            has_path=True,
            events=len(terms),
            more_paths=len(terms) - 1,
            degree=self._view.catalogue.degree(entity_row),
        )

    def _behaviours(self, behaviour: "np.ndarray[tuple[int], np.dtype[np.float64]]", item_row: int) -> list[Ground]:
        """One ground per event whose item enough other people took together with this one."""
        grounds: list[Ground] = []
        for place in np.argsort(-behaviour, kind="stable")[:MOST_ASKED].tolist():
            event_row = int(self._weighted.item_rows[place])
            if behaviour[place] <= 0 or event_row == item_row:
                continue
            others = self._others_of(event_row, item_row)
            if others.count >= LEAST_OTHERS:
                deed = self._subject.witnesses[event_row]
                tell = partial(self._tell_behaviour, deed, others, item_row)
                grounds.append(Ground("taken_together", float(behaviour[place]), tell, has_path=True))
        return grounds

    def _tell_behaviour(self, deed: Deed, others: Others, item_row: int) -> tuple[str, DraftPath]:
        text = texts.taken_together(self._view, deed, people=others.count)
        return text, behaviour_path(self._view, self._subject, deed, others, item_row)

    def _others_of(self, event_row: int, item_row: int) -> Others:
        """Those who took both in the training data, without this user and without those erased since."""
        trained = len(self._view.snapshot.item_ids)
        if max(event_row, item_row) >= trained:
            return Others(0, ())
        both = np.intersect1d(*(self._takers(row) for row in (event_row, item_row)), assume_unique=True)
        left_out = {*self._view.profiles.erased_rows}
        if self._subject.record is not None:
            left_out.add(self._subject.record.user_row)
        rows = [row for row in both.tolist() if row not in left_out]
        return Others(len(rows), tuple(str(self._view.snapshot.user_ids[row]) for row in rows[:LEAST_OTHERS]))

    def _takers(self, item_row: int) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
        begin, end = self._scorer.weights.takers_indptr[item_row : item_row + 2]
        return self._scorer.weights.takers_rows[begin:end]

    def _others(self, rest: list[float], item_row: int) -> list[Ground]:
        """What is told without a path: the taste as a whole, and that many people take the item."""
        taste, popularity = rest
        grounds: list[Ground] = []
        if taste > 0:
            grounds.append(Ground("taste", taste, lambda: (texts.ANY_TASTE, None), has_path=False))
        if popularity > 0:
            grounds.append(popular_ground(self._view, popularity, item_row))
        return grounds

    def _contributions(
        self,
        terms: list[EntityTerm],
        behaviour: "np.ndarray[tuple[int], np.dtype[np.float64]]",
        item_row: int,
        positive: float,
    ) -> tuple[Contribution, ...]:
        """Every term that is not 0, the largest first, at most 200; those of sensitive entities are not named."""
        catalogue, witnesses = self._view.catalogue, self._subject.witnesses
        found = [
            Contribution(
                item_id=catalogue.item_ids[term.event_item_row],
                kind=witnesses[term.event_item_row].kind.name,
                value=term.value,
                share=share_of(term.value, positive),
                relation=catalogue.relation(term.relation_code).type,
                entity_id=catalogue.entity_ids[term.entity_row],
            )
            for term in terms
            if not (catalogue.relation(term.relation_code).sensitive or catalogue.is_sensitive(term.entity_row))
        ]
        for place in np.flatnonzero(behaviour).tolist():
            event_row, value = int(self._weighted.item_rows[place]), float(behaviour[place])
            found.append(
                Contribution(
                    item_id=catalogue.item_ids[event_row],
                    kind=witnesses[event_row].kind.name,
                    value=value,
                    share=share_of(value, positive),
                    people=self._shown_people(event_row, item_row) if len(behaviour) <= MOST_LISTED else None,
                )
            )
        return tuple(sorted(found, key=lambda one: (-abs(one.value), one.item_id, one.entity_id or ""))[:MOST_LISTED])

    def _shown_people(self, event_row: int, item_row: int) -> int | None:
        count = self._others_of(event_row, item_row).count
        return count if count >= LEAST_OTHERS else None


def popular_ground(view: View, value: float, item_row: int) -> Ground:
    """That many people take the item."""

    def tell() -> tuple[str, DraftPath | None]:
        recent, ever = view.popular_counts
        return texts.popular(recent=int(recent[item_row]), ever=int(ever[item_row]), days=30), None

    return Ground("popular", value, tell, has_path=False)
