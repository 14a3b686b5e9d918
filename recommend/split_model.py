"""The score of a user with events, split by event, entity and part."""

from functools import cached_property

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from domain.answers import Contribution
from recommend import texts
from recommend.company import Company
from recommend.drafts import LEAST_OTHERS, DraftPath, attribute_path, behaviour_path
from recommend.entity_index import EntityIndex
from recommend.grounds import Ground, Split, strongest
from recommend.history import Weighted
from recommend.ranking import Ranking, share_of
from recommend.score import EntityColumns, Scorer
from recommend.subject import Deed, Subject
from recommend.wording import Wording
from recommend.world import View

Terms = NDArray[np.float64]  # (h,) one per item of the user

MOST_ATTRIBUTES = 25  # relations and entities whose texts and paths are made
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

    @cached_property
    def _company(self) -> Company:
        return Company(self._view, self._subject, self._scorer.weights)

    @cached_property
    def _entities(self) -> EntityIndex:
        return self._scorer.entity_index(self._weighted)

    def split(self, item_row: int) -> Split:
        terms = self._scorer.entity_columns(self._weighted, item_row, self._entities).without(self._subject.masked)
        behaviour = self._scorer.behaviour_terms(self._weighted, item_row).astype(np.float64)
        rest = [float(self._ranking.parts[name][item_row]) for name in ("taste", "popularity")]
        positive = sum(float(values[values > 0].sum(dtype=np.float64)) for values in (terms.values, behaviour))
        positive += sum(value for value in rest if value > 0)
        grounds = self._attributes(terms, item_row) + self._behaviours(behaviour, item_row)
        grounds += self._others(rest, item_row)
        return Split(positive, strongest(grounds), lambda whole: self._contributions(terms, behaviour, item_row, whole))

    def _attributes(self, terms: EntityColumns, item_row: int) -> list[Ground]:
        """One ground per relation and entity, over all events that share it; the 25 strongest."""
        kept = np.flatnonzero(self._may_tell(terms, item_row))
        num_entities = len(self._view.catalogue.entity_ids)
        keys = terms.relation_codes[kept].astype(np.int64) * num_entities + terms.entity_rows[kept]
        pairs, group = np.unique(keys, return_inverse=True)
        sums = np.bincount(group, weights=terms.values[kept], minlength=len(pairs))
        counts = np.bincount(group, minlength=len(pairs))
        order = kept[np.lexsort((terms.event_item_rows[kept], -terms.values[kept], group))]
        firsts = terms.event_item_rows[order[np.cumsum(counts) - counts]]
        grounds: list[Ground] = []
        for place in np.argsort(-sums, kind="stable")[:MOST_ATTRIBUTES].tolist():
            witness = self._subject.witnesses[int(firsts[place])]
            shared = divmod(int(pairs[place]), num_entities)
            grounds.append(self._attribute(witness, shared, float(sums[place]), int(counts[place]), item_row))
        return grounds

    def _may_tell(self, terms: EntityColumns, item_row: int) -> NDArray[np.bool_]:
        """(t,) positive terms of relations that both items still have and that may be shown."""
        catalogue, positive = self._view.catalogue, terms.values > 0
        changed = catalogue.knowledge.changed_left.keys()
        if item_row in changed or not changed.isdisjoint(terms.event_item_rows.tolist()):
            columns = zip(terms.event_item_rows, terms.relation_codes, terms.entity_rows, strict=True)
            for place, (event_row, code, entity_row) in enumerate(columns):
                both = (int(event_row), item_row)
                positive[place] &= all(catalogue.still_holds(row, int(code), int(entity_row)) for row in both)
        sensitive = np.array([kind.sensitive for kind in self._view.declaration.relation_types], np.bool_)
        types = np.array([kind.sensitive for kind in self._view.declaration.entity_types], np.bool_)
        hidden = sensitive[terms.relation_codes] | types[catalogue.entity_types[terms.entity_rows]]
        return positive & ~hidden

    def _attribute(self, witness: Deed, shared: tuple[int, int], value: float, events: int, item_row: int) -> Ground:
        code, entity_row = shared
        return Ground(
            code="same_entity",
            value=value,
            tell=lambda words: (
                texts.same_entity(words, self._view, witness, code, entity_row, events=events),
                attribute_path(self._view, self._subject, witness, code, entity_row, item_row),
            ),
            has_path=True,
            events=events,
            more_paths=events - 1,
            degree=self._view.catalogue.degree(entity_row),
        )

    def _behaviours(self, behaviour: Terms, item_row: int) -> list[Ground]:
        """One ground for the strongest events whose items enough other people took together with this one."""
        found: list[tuple[int, float]] = []
        for place in np.argsort(-behaviour, kind="stable")[:MOST_ASKED].tolist():
            event_row, value = int(self._weighted.item_rows[place]), float(behaviour[place])
            is_like = value > 0 and self._weighted.weights[place] > 0  # a dislike of what others dislike is no reason
            if is_like and self._company.count(event_row, item_row) >= LEAST_OTHERS:
                found.append((event_row, value))
        return [self._behaviour(found, item_row)] if found else []

    def _behaviour(self, found: list[tuple[int, float]], item_row: int) -> Ground:
        event_row = found[0][0]
        others = self._company.others(event_row, item_row)
        deed = self._subject.witnesses[event_row]
        return Ground(
            code="taken_together",
            value=sum(value for _, value in found),
            tell=lambda words: (
                texts.taken_together(words, self._view, deed, people=others.count, events=len(found)),
                behaviour_path(self._view, self._subject, deed, others, item_row),
            ),
            has_path=True,
            events=len(found),
            more_paths=len(found) - 1,
        )

    def _others(self, rest: list[float], item_row: int) -> list[Ground]:
        """What is told without a path: the taste as a whole, and that many people take the item."""
        taste, popularity = rest
        grounds: list[Ground] = []
        if taste > 0:
            grounds.append(Ground("taste", taste, lambda words: (words.say("taste"), None), has_path=False))
        if popularity > 0:
            grounds.append(popular_ground(self._view, popularity, item_row))
        return grounds

    def _contributions(
        self, terms: EntityColumns, behaviour: Terms, item_row: int, positive: float
    ) -> tuple[Contribution, ...]:
        """Every term that is not 0, the largest first, at most 200; those of sensitive entities are not named."""
        catalogue = self._view.catalogue
        found: list[Contribution] = []
        for place in np.argsort(-np.abs(terms.values), kind="stable")[:MOST_LISTED].tolist():
            code, entity_row = int(terms.relation_codes[place]), int(terms.entity_rows[place])
            if catalogue.may_show(code, entity_row) and terms.values[place] != 0:
                one = self._contribution(int(terms.event_item_rows[place]), float(terms.values[place]), positive)
                named = {"relation": catalogue.relation(code).type, "entity_id": catalogue.entity_ids[entity_row]}
                found.append(replace(one, **named))
        for place in np.argsort(-np.abs(behaviour), kind="stable")[:MOST_LISTED].tolist():
            if behaviour[place] != 0:
                event_row = int(self._weighted.item_rows[place])
                one = self._contribution(event_row, float(behaviour[place]), positive)
                found.append(replace(one, people=self._shown_people(event_row, item_row)))
        return tuple(sorted(found, key=lambda one: (-abs(one.value), one.item_id, one.entity_id or ""))[:MOST_LISTED])

    def _contribution(self, event_row: int, value: float, positive: float) -> Contribution:
        return Contribution(
            item_id=self._view.catalogue.item_ids[event_row],
            kind=self._subject.witnesses[event_row].kind.name,
            value=value,
            share=share_of(value, positive),
        )

    def _shown_people(self, event_row: int, item_row: int) -> int | None:
        count = self._company.count(event_row, item_row)
        return count if count >= LEAST_OTHERS else None


def popular_ground(view: View, value: float, item_row: int) -> Ground:
    """That many people take the item."""

    def tell(words: Wording) -> tuple[str, DraftPath | None]:
        recent, ever = view.popular_counts
        return texts.popular(words, recent=int(recent[item_row]), ever=int(ever[item_row]), days=30), None

    return Ground("popular", value, tell, has_path=False)
