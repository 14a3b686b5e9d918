"""What became of every item when a list was made: which are shown, in which order, and what kept each other one out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.answers import LeftOut, RuleEffect

LEAST_CANDIDATES = 100
CANDIDATES_PER_PLACE = 5


@dataclass(frozen=True)
class Removal:
    """What kept one item out: the first thing in the order of precedence.

    code: unknown_item, hidden (a negative event of the user), seen, filtered (the request's filter), item_kind, rule,
        unavailable, no_evidence, not_asked_for, cap or diversity.
    rule_id: of the rule that did it. detail: the filter's fields, the kind, the entity that is capped.
    """

    code: str
    rule_id: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Choice:
    """A list as it was chosen. scores: (I,) with the part of the rules. rules_part: (I,); None without an effect.

    item_rows: in the order shown. left_out: asked-for items that are not. effects: what rules did to a row.
    allowed_rows: those that may be shown.
    removal_of: what kept a row out; None for rows that are shown, or were
    only not good enough. applied_rules: ids of the rules that held. warnings: what a caller should know.
    """

    item_rows: tuple[int, ...]
    left_out: tuple[LeftOut, ...]
    scores: NDArray[np.float64]
    model_scores: NDArray[np.float64]
    removal_of: Callable[[int], Removal | None]
    item_ids: NDArray[np.object_]
    length: int
    allowed_rows: NDArray[np.int64]
    asked_rows: tuple[int, ...] | None = None
    rules_part: NDArray[np.float32] | None = None
    effects: Mapping[int, tuple[RuleEffect, ...]] = field(default_factory=dict[int, tuple[RuleEffect, ...]])
    applied_rules: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @cached_property
    def model_order(self) -> tuple[int, ...]:
        """Rows by the model's score, before rules and diversity: 5 for each place of the list, 100 at least.

        Items that may not be shown are among them: `removed` says why. Of a list of asked-for items: those.
        """
        rows = np.arange(len(self.model_scores)) if self.asked_rows is None else np.array(self.asked_rows, np.int64)
        most = max(LEAST_CANDIDATES, CANDIDATES_PER_PLACE * self.length)
        return best_rows(self.model_scores, rows, most, self.item_ids)

    @cached_property
    def removed(self) -> Mapping[int, Removal]:
        """What kept out each row of the model's order that something kept out."""
        found = {row: self.removal_of(row) for row in self.model_order}
        return {row: removal for row, removal in found.items() if removal is not None}

    def place_of(self, row: int) -> int:
        """As shown; else by score among the items that may be shown, or where it would be if it might."""
        if row in self.item_rows:
            return 1 + self.item_rows.index(row)
        values = self.scores[self.allowed_rows]
        equals = self.allowed_rows[values == self.scores[row]].tolist()
        before = sum(self.item_ids[other] < self.item_ids[row] for other in equals)
        return 1 + int(np.count_nonzero(values > self.scores[row])) + before


def best_rows(
    scores: NDArray[np.float64], rows: NDArray[np.int64], n: int, item_ids: NDArray[np.object_]
) -> tuple[int, ...]:
    """At most n of the rows by falling score, equal scores by item id."""
    values = scores[rows]
    if len(rows) > n:
        least = np.partition(values, len(rows) - n)[len(rows) - n]
        rows, values = rows[values >= least], values[values >= least]
    order = sorted(range(len(rows)), key=lambda place: (-values[place], item_ids[rows[place]]))
    return tuple(int(rows[place]) for place in order[:n])
