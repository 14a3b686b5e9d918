"""The reasons of a list's items: which are shown, in words, with paths that are checked in one question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from domain.answers import Path, Reason
from recommend.drafts import DraftPath
from recommend.grounds import LEAST_SHARE, WEAK_BELOW, Ground, Split, Splitter
from recommend.ranking import share_of
from recommend.verify import Verifier
from recommend.wording import Wording

MOST_REASONS = 3  # with a path, per item of a list


@dataclass
class Told:
    """A ground put into words. draft: None for a ground without a path. path: None until it was checked.

    is_gone: an edge of it is not in the graph any more.
    """

    ground: Ground
    text: str
    draft: DraftPath | None
    path: Path | None = None
    is_gone: bool = False

    @classmethod
    def of(cls, ground: Ground, words: Wording) -> "Told":
        return cls(ground, *ground.tell(words))


def reasons_for_list(
    splitter: Splitter,
    item_rows: Sequence[int],
    verifier: Verifier,
    words: Wording,
    rules_part: NDArray[np.float32] | None = None,
) -> list[tuple[Reason, ...]]:
    """Reasons of each item: up to three with a path, then what else explains 15 % or more.

    The strongest reason with a path is given whenever there is one, marked weak below 15 %. A path with an edge that is
    gone from Neo4j is not shown.
    """
    items = [_Item(with_rules(splitter.split(row), rules_part, row), words) for row in item_rows]
    while unchecked := [one for item in items for one in item.shown() if one.path is None]:
        check(unchecked, verifier)  # again only where an edge is gone, for the reasons that come up instead
    return [item.reasons() for item in items]


def with_rules(split: Split, rules_part: NDArray[np.float32] | None, item_row: int) -> Split:
    """The split with what rules add to the score as one more positive term."""
    value = 0.0 if rules_part is None else float(rules_part[item_row])
    if value <= 0:
        return split
    ground = Ground("rules", value, lambda words: (words.say("rules"), None), has_path=False)
    return replace(split, positive=split.positive + value, grounds=(*split.grounds, ground))


def check(told: Sequence[Told], verifier: Verifier) -> None:
    """Gives each its path, or says that it is gone; told: those with a draft."""
    drafts = [one.draft for one in told if one.draft is not None]
    for one, path in zip(told, verifier.check(drafts), strict=True):
        one.path, one.is_gone = path, path is None


def reason_of(told: Told, positive: float) -> Reason:
    share = share_of(told.ground.value, positive)
    is_context = told.ground.code == "context"
    return Reason(
        code=told.ground.code,
        text=told.text,
        share=share,
        path=told.path,
        more_paths=told.ground.more_paths,
        events=told.ground.events,
        entities=told.ground.entities,
        weak=share < WEAK_BELOW and not is_context,
        context=is_context,
    )


class _Item:
    """What is said of one item. Grounds are put into words when they may be shown."""

    def __init__(self, split: Split, words: Wording) -> None:
        self._positive = split.positive
        self._words = words
        self._with_path = [ground for ground in split.grounds if ground.has_path]
        self._pathless = [ground for ground in split.grounds if not ground.has_path]
        self._told: dict[int, Told] = {}

    def shown(self) -> list[Told]:
        """The strongest that have a path and are told apart, of both kinds of true path where there are both."""
        found: dict[str, Told] = {}  # two tastes without a name may be told the same way
        for place, ground in enumerate(self._with_path):
            if len(found) == MOST_REASONS or (found and not self._counts(ground)):
                break
            told = self._tell(place)
            if not told.is_gone:
                found.setdefault(told.text, told)
        chosen, codes = list(found.values()), {told.ground.code for told in found.values()}
        return chosen if len(codes) != 1 else [*chosen[: MOST_REASONS - 1], *self._other_than(codes, chosen)]

    def reasons(self) -> tuple[Reason, ...]:
        """What is shown, after the check."""
        shown = [reason_of(told, self._positive) for told in self.shown()]
        pathless = [ground for ground in self._pathless if share_of(ground.value, self._positive) >= WEAK_BELOW]
        told = pathless if shown or pathless else self._pathless[:1]
        return (*shown, *(reason_of(Told.of(ground, self._words), self._positive) for ground in told))

    def _other_than(self, codes: set[str], chosen: list[Told]) -> list[Told]:
        """The strongest of another kind, or else the third."""
        for place, ground in enumerate(self._with_path):
            if ground.code not in codes and self._counts(ground) and not self._tell(place).is_gone:
                return [self._tell(place)]
        return chosen[MOST_REASONS - 1 :]

    def _counts(self, ground: Ground) -> bool:
        return share_of(ground.value, self._positive) >= LEAST_SHARE

    def _tell(self, place: int) -> Told:
        if place not in self._told:
            self._told[place] = Told.of(self._with_path[place], self._words)
        return self._told[place]
