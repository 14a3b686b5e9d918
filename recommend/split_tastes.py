"""The score of stated tastes, split by taste; of people alike; of popularity. For visitors without events."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recommend import texts
from recommend.drafts import LEAST_OTHERS, DraftPath, taste_path
from recommend.grounds import Ground, Split, no_contributions, strongest
from recommend.ranking import Ranking
from recommend.split_model import popular_ground
from recommend.subject import Subject, Taste
from recommend.wording import Wording
from recommend.world import View

Amounts = Mapping[tuple[int, int], float]  # (relation code, entity row) -> amount


@dataclass(frozen=True)
class TasteSplitter:
    """amounts: per item row what each (relation, entity) adds to the parts entity and cold_start."""

    view: View
    subject: Subject
    ranking: Ranking
    amounts_of: "AmountsOf"

    def split(self, item_row: int) -> Split:
        amounts = self.amounts_of(item_row)
        rest = {name: float(self.ranking.parts[name][item_row]) for name in self.ranking.parts}
        taste, popularity = rest.get("taste", 0.0), rest.get("popularity", 0.0)
        positive = sum(max(value, 0.0) for value in (*amounts.values(), taste, popularity))
        tastes = {taste.entity_row: taste for taste in self.subject.tastes}
        grounds = [
            self._ground(tastes[entity_row], code, value, item_row)
            for (code, entity_row), value in amounts.items()
            if value > 0 and self._may_tell(item_row, code, entity_row)
        ]
        if taste > 0:
            grounds.append(Ground("taste", taste, lambda words: (words.say("some_taste"), None), has_path=False))
        if popularity > 0:
            grounds.append(popular_ground(self.view, popularity, item_row))
        return Split(positive, strongest(grounds), no_contributions)

    def _may_tell(self, item_row: int, code: int, entity_row: int) -> bool:
        catalogue = self.view.catalogue
        return catalogue.may_show(code, entity_row) and catalogue.still_holds(item_row, code, entity_row)

    def _ground(self, taste: Taste, code: int, value: float, item_row: int) -> Ground:
        def tell(words: Wording) -> tuple[str, DraftPath | None]:
            text = texts.stated_taste(words, self.view, code, taste.entity_row)
            return text, taste_path(self.view, self.subject, taste, code, item_row)

        degree = self.view.catalogue.degree(taste.entity_row)
        return Ground("stated_taste", value, tell, has_path=True, degree=degree)


class AmountsOf:
    """What each (relation, entity) adds to an item's score: the scorer's terms, and the Cypher rows, scaled."""

    def __init__(self, view: View, tastes: Sequence[Taste], found: Mapping[int, Amounts]) -> None:
        self._scorer = view.scorer
        self._rows = [taste.entity_row for taste in tastes]
        self._weights = [taste.weight for taste in tastes]
        self._found = found

    def __call__(self, item_row: int) -> dict[tuple[int, int], float]:
        amounts: defaultdict[tuple[int, int], float] = defaultdict(float)
        if self._scorer is not None:
            for term in self._scorer.taste_terms(self._rows, self._weights, item_row):
                amounts[term.relation_code, term.entity_row] += term.value
        for key, value in self._found.get(item_row, {}).items():
            amounts[key] += value
        return dict(amounts)


@dataclass(frozen=True)
class PeopleSplitter:
    """liked: item row -> (how many of the people alike took it, how many were asked)."""

    view: View
    subject: Subject
    ranking: Ranking
    liked: Mapping[int, tuple[int, int]]

    def split(self, item_row: int) -> Split:
        value = float(self.ranking.total[item_row])
        if item_row not in self.liked:
            return Split(0.0, (), no_contributions)
        liked, peers = self.liked[item_row]

        def tell(words: Wording) -> tuple[str, DraftPath | None]:
            text = texts.similar_people(words, self.view, self.subject, liked=liked, peers=peers, least=LEAST_OTHERS)
            return text, None

        return Split(value, (Ground("similar_people", value, tell, has_path=False),), no_contributions)


@dataclass(frozen=True)
class PopularSplitter:
    view: View
    ranking: Ranking

    def split(self, item_row: int) -> Split:
        value = float(self.ranking.total[item_row])
        grounds = (popular_ground(self.view, value, item_row),) if value > 0 else ()
        return Split(value, grounds, no_contributions)
