"""The fewest of a user's items without which a recommended item would not be in their list.

Every item's score is a sum over the user's items, so what a set of them holds up is known without computing lists: sets
are searched by that sum, smallest first, and the first one whose list, made anew, lacks the item is the answer.

Source: Ghazimatin et al., "PRINCE: Provider-side Interpretability with Counterfactual Explanations in Recommender
Systems", WSDM 2020. Their scores are random walks and one action swaps one rival; ours are sums, and any rivals count.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from domain.answers import Counterfactual, Removed, RemovedEvent
from recommend.adapt import weights_of
from recommend.choice import Choice
from recommend.drafts import iso_time
from recommend.ranking import Ranking
from recommend.subject import Subject
from recommend.without import without_items
from recommend.world import View

TIME_S = 1.0
SEARCHED = (1_000, 200, 40)  # strongest items of which all sets of 1, 2 and 3 are searched
CHECKED = 5  # sets of one size that are tried with a list made anew
BLOCK = 4_096
MOST_REMOVED = 50
MOST_RIVALS = 200

Remake = Callable[[Subject], tuple[Ranking, Choice]]
Places = tuple[int, ...]


@dataclass(frozen=True)
class _Search:
    """amounts (h, j): what each of the user's items adds to the score of each rival; own (h,): to the item's score.

    scores (j,) and score: as they are. n: length of the list.
    """

    amounts: NDArray[np.float64]
    own: NDArray[np.float64]
    scores: NDArray[np.float64]
    score: float
    n: int

    def margins(self, sets: Sequence[Places]) -> NDArray[np.float64]:
        """(s,) how far the item would be below the last place of the list; below 0 it stays in it."""
        chosen = np.asarray(sets, np.int64)
        rivals = self.scores - self.amounts[chosen].sum(axis=1)
        last = np.partition(rivals, -self.n, axis=1)[:, -self.n]
        return last - (self.score - self.own[chosen].sum(axis=1))

    def best(self, sets: Iterator[Places]) -> list[Places]:
        """The sets that would be enough, those with most to spare first."""
        found: list[tuple[float, Places]] = []
        while block := list(islice(sets, BLOCK)):
            margins = self.margins(block)
            found += [(-float(margins[place]), block[place]) for place in np.flatnonzero(margins > 0).tolist()]
        return [places for _, places in sorted(found)[:CHECKED]]

    def grown(self, most: int) -> Iterator[Places]:
        """Ever larger sets, each with the one item more that helps most."""
        chosen: Places = ()
        while len(chosen) < most:
            larger = [(*chosen, place) for place in range(len(self.own)) if place not in chosen]
            chosen = larger[int(np.argmax(self.margins(larger)))]
            yield chosen


def counterfactual(
    view: View, subject: Subject, ranking: Ranking, choice: Choice, item_row: int, remake: Remake
) -> Counterfactual:
    """What would have to go. remake: the list of a changed subject, in which what this user has seen stays out."""
    n = len(choice.item_rows)
    rank = choice.item_rows.index(item_row) + 1 if item_row in choice.item_rows else None
    if rank is None or view.scorer is None or "behaviour" not in ranking.parts:
        why = "not_in_list" if rank is None else "no_model"
        return Counterfactual(n=n, rank=rank, found=False, why=why)
    weighted = weights_of(view, subject)
    rivals = _rivals(choice, item_row)
    if len(rivals) < n or not len(weighted):
        return Counterfactual(n=n, rank=rank, found=False, why="nothing_else")
    amounts = view.scorer.amounts(weighted, np.append(rivals, item_row)).astype(np.float64)
    search = _Search(amounts[:, :-1], amounts[:, -1], choice.scores[rivals], float(choice.scores[item_row]), n)
    tried, deadline = 0, time.perf_counter() + TIME_S
    for places, is_smallest in _sets(search):
        if time.perf_counter() > deadline:
            return Counterfactual(n=n, rank=rank, found=False, why="out_of_time", tried=tried)
        rows = weighted.item_rows[list(places)].tolist()
        _, changed = remake(without_items(subject, frozenset(rows)))
        tried += 1
        if item_row not in changed.item_rows:
            told = [_removed(view, subject, row, float(search.own[at])) for at, row in zip(places, rows, strict=True)]
            found = _found(view, choice, changed, item_row, told)
            return replace(found, n=n, rank=rank, is_smallest=is_smallest, tried=tried)
    return Counterfactual(n=n, rank=rank, found=False, why="not_enough", tried=tried)


def _found(view: View, choice: Choice, changed: Choice, item_row: int, removed: Sequence[Removed]) -> Counterfactual:
    entered = [row for row in changed.item_rows if row not in choice.item_rows]
    return Counterfactual(
        n=len(choice.item_rows),
        rank=None,
        found=True,
        removed=tuple(sorted(removed, key=lambda one: -one.amount)),
        score=float(changed.scores[item_row]),
        instead=view.catalogue.item_ids[entered[0]] if entered else None,
    )


def _rivals(choice: Choice, item_row: int) -> NDArray[np.int64]:
    """The items that may be shown in its place, those with the highest scores."""
    rows = (row for row in np.argsort(-choice.scores, kind="stable").tolist() if row != item_row)
    allowed = (row for row in rows if choice.removal_of(row) is None)
    return np.fromiter(islice(allowed, max(MOST_RIVALS, 2 * choice.length)), np.int64)


def _sets(search: _Search) -> Iterator[tuple[Places, bool]]:
    """Sets worth trying, and whether every smaller one was looked at and is not enough."""
    num_items, is_complete = len(search.own), True
    singles = search.margins([(place,) for place in range(num_items)])
    strongest = np.argsort(-singles, kind="stable").tolist()
    for size, most in enumerate(SEARCHED, start=1):
        enough = search.best(combinations(strongest[:most], size))
        yield from ((places, is_complete) for places in enough)
        is_complete = is_complete and num_items <= most and not enough
    yield from ((places, False) for places in search.grown(min(num_items, MOST_REMOVED)) if len(places) > 1)


def _removed(view: View, subject: Subject, item_row: int, amount: float) -> Removed:
    events = [deed for deed in subject.deeds if deed.item_row == item_row]
    return Removed(
        item_id=view.catalogue.item_ids[item_row],
        name=view.catalogue.item_names[item_row],
        amount=amount,
        events=tuple(RemovedEvent(kind=deed.kind.name, at=iso_time(deed.at), value=deed.value) for deed in events),
    )
