"""The score of a user with events, split by event, entity and part."""

from functools import cached_property

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from domain.answers import Contribution
from recommend import texts
from recommend.attributes import Attributes
from recommend.company import Company
from recommend.drafts import LEAST_OTHERS, DraftPath, behaviour_path
from recommend.grounds import LEAST_SHARE, WEAK_BELOW, Ground, Split, strongest
from recommend.history import Weighted
from recommend.ranking import Ranking, share_of
from recommend.score import Scorer
from recommend.subject import Subject
from recommend.wording import Wording
from recommend.world import View

Terms = NDArray[np.float64]  # (h,) one per item of the user

MOST_LISTED = 200  # contributions of one explanation


class ModelSplitter:
    """For the strategies model and session. `ranking` holds entity, behaviour, taste and popularity."""

    def __init__(self, view: View, subject: Subject, scorer: Scorer, weighted: Weighted, ranking: Ranking) -> None:
        self._view = view
        self._subject = subject
        self._scorer = scorer
        self._weighted = weighted
        self._ranking = ranking
        self._attributes = Attributes(view, subject, scorer, weighted)

    def split(self, item_row: int) -> Split:
        shared, behaviour = self._attributes.shared_with(item_row), self._behaviour_terms(item_row)
        rest = [float(self._ranking.parts[name][item_row]) for name in ("taste", "popularity")]
        positive = float(shared.amounts.sum() + behaviour[behaviour > 0].sum()) + sum(max(0.0, one) for one in rest)
        grounds = self._behaviours(behaviour, item_row) + self._others(rest, item_row)
        is_told = any(ground.value >= WEAK_BELOW * positive for ground in grounds if ground.has_path)
        wanted = 0 if is_told else WEAK_BELOW * positive
        grounds += self._attributes.grounds(shared, item_row, wanted=wanted, least=LEAST_SHARE * positive)
        return Split(positive, strongest(grounds), lambda whole: self._contributions(item_row, whole))

    @cached_property
    def _company(self) -> Company:
        return Company(self._view, self._subject, self._scorer.weights, self._weighted.item_rows)

    def _behaviour_terms(self, item_row: int) -> Terms:
        return self._scorer.behaviour_terms(self._weighted, item_row).astype(np.float64)

    def _behaviours(self, behaviour: Terms, item_row: int) -> list[Ground]:
        """One ground for the events whose items enough other people took together with this one."""
        enough = self._company.counts(item_row, behaviour) >= LEAST_OTHERS
        liked = self._weighted.weights > 0  # a dislike of what others dislike is no reason
        found = np.flatnonzero(enough & liked & (behaviour > 0))
        if not len(found):
            return []
        event_row = int(self._weighted.item_rows[found[np.argmax(behaviour[found])]])

        def tell(words: Wording) -> tuple[str, DraftPath]:
            others, deed = self._company.others(event_row, item_row), self._subject.witnesses[event_row]
            text = texts.taken_together(words, self._view, deed, people=others.count, events=len(found))
            return text, behaviour_path(self._view, self._subject, deed, others, item_row)

        value = float(behaviour[found].sum())
        return [Ground("taken_together", value, tell, has_path=True, events=len(found), more_paths=len(found) - 1)]

    def _others(self, rest: list[float], item_row: int) -> list[Ground]:
        """What is told without a path: the taste as a whole, and that many people take the item."""
        taste, popularity = rest
        grounds: list[Ground] = []
        if taste > 0:
            grounds.append(Ground("taste", taste, lambda words: (words.say("taste"), None), has_path=False))
        if popularity > 0:
            grounds.append(popular_ground(self._view, popularity, item_row))
        return grounds

    def _contributions(self, item_row: int, positive: float) -> tuple[Contribution, ...]:
        """Every term that is not 0, the largest first, at most 200; those of sensitive entities are not named."""
        catalogue, behaviour = self._view.catalogue, self._behaviour_terms(item_row)
        terms = self._scorer.entity_columns(self._weighted, item_row, self._attributes.index).without(
            self._subject.masked
        )
        found: list[Contribution] = []
        for place in np.argsort(-np.abs(terms.values), kind="stable")[:MOST_LISTED].tolist():
            code, entity_row = int(terms.relation_codes[place]), int(terms.entity_rows[place])
            if catalogue.may_show(code, entity_row) and terms.values[place] != 0:
                one = self._contribution(int(terms.event_item_rows[place]), float(terms.values[place]), positive)
                named = {"relation": catalogue.relation(code).type, "entity_id": catalogue.entity_ids[entity_row]}
                found.append(replace(one, **named))
        people = self._company.counts(item_row, behaviour).tolist()
        for place in np.argsort(-np.abs(behaviour), kind="stable")[:MOST_LISTED].tolist():
            if behaviour[place] != 0:
                event_row = int(self._weighted.item_rows[place])
                one = self._contribution(event_row, float(behaviour[place]), positive)
                found.append(replace(one, people=people[place] if people[place] >= LEAST_OTHERS else None))
        return tuple(sorted(found, key=lambda one: (-abs(one.value), one.item_id, one.entity_id or ""))[:MOST_LISTED])

    def _contribution(self, event_row: int, value: float, positive: float) -> Contribution:
        return Contribution(
            item_id=self._view.catalogue.item_ids[event_row],
            kind=self._subject.witnesses[event_row].kind.name,
            value=value,
            share=share_of(value, positive),
        )


def popular_ground(view: View, value: float, item_row: int) -> Ground:
    """That many people take the item."""

    def tell(words: Wording) -> tuple[str, DraftPath | None]:
        recent, ever = view.popular_counts
        return texts.popular(words, recent=int(recent[item_row]), ever=int(ever[item_row]), days=30), None

    return Ground("popular", value, tell, has_path=False)
