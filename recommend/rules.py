"""The rules of one moment: what is stored, made ready for lists. A change makes a new book, which readers may keep.

Targets are found when a rule or an item changes, and conditions are looked up by what they ask for; what a set of
rules does is kept for the next request for which the same rules hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from domain.records import RuleDeleted, RulePut
from domain.rules import Consequence, Rule, StoredRule
from recommend.catalogue import Catalogue
from recommend.rule_conditions import Conditions
from recommend.rule_targets import Targets
from recommend.steering import NOTHING, Steering, steering_of

if TYPE_CHECKING:
    from recommend.situation import Situation  # which needs a View, and that has rules

RuleRecord = RulePut | RuleDeleted
Holding = tuple[tuple[int, ...], tuple[int, ...]]  # as Conditions.holding gives it
MOST_KEPT = 64  # sets of rules of which it is kept what they do
FEW = 20  # changed items that are looked at one by one; for more, all targets are found anew


@dataclass(frozen=True)
class RuleBook:
    """stored: the rules that there are, by id. changes: made since the snapshot, oldest first.

    rows: rule id -> (m,) the items that it is about, rising, of enabled rules.
    """

    catalogue: Catalogue
    stored: Mapping[str, StoredRule]
    changes: tuple[StoredRule, ...]
    rows: Mapping[str, NDArray[np.int64]]
    conditions: Conditions = field(default_factory=lambda: Conditions(()))
    _kept: dict[Holding, Steering] = field(default_factory=dict[Holding, Steering])

    @classmethod
    def of(cls, stored: Iterable[StoredRule], catalogue: Catalogue) -> "RuleBook":
        by_id = {one.rule_id: one for one in stored}
        return cls(catalogue, by_id, (), _rows_of(by_id.values(), Targets(catalogue)), _conditions_of(by_id))

    def after(self, records: Sequence[tuple[int, RuleRecord]]) -> "RuleBook":
        """The book with more records of the log. One that is based on another version than there is does nothing."""
        stored, changes, rows = dict(self.stored), list(self.changes), dict(self.rows)
        targets = Targets(self.catalogue)
        for offset, record in records:
            before = stored.get(record.rule_id)
            if record.based_on not in (None, before.version if before else 0):
                continue
            rule = record.rule if isinstance(record, RulePut) else None
            change = StoredRule(rule_id=record.rule_id, version=offset, at=record.at, by=record.by, rule=rule)
            changes.append(change)
            stored.pop(record.rule_id, None)
            rows.pop(record.rule_id, None)
            if rule is not None:
                stored[record.rule_id] = change
                rows |= _rows_of([change], targets)
        return RuleBook(self.catalogue, stored, tuple(changes), rows, _conditions_of(stored))

    def with_draft(self, rule_id: str, rule: Rule) -> "RuleBook":
        """The book as it would be with a rule that nobody stores."""
        return self.after([(0, RulePut(rule_id=rule_id, rule=rule, at=0, by=""))])

    def moved(self, catalogue: Catalogue, changed_rows: frozenset[int], *, changes_links: bool) -> "RuleBook":
        """The same rules for a catalogue in which these items may have changed."""
        if not self.stored:
            return RuleBook(catalogue, self.stored, self.changes, self.rows)
        if len(changed_rows) > FEW:
            rows = _rows_of(self.stored.values(), Targets(catalogue))
            return RuleBook(catalogue, self.stored, self.changes, rows, self.conditions)
        targets, rows = Targets(catalogue), dict(self.rows)
        for rule_id, before in self.rows.items():
            consequence = self._consequence(rule_id)
            if changes_links and consequence.target is not None and len(consequence.target.path) > 1:
                rows[rule_id] = targets.rows(consequence)
                continue
            was = _among(before, changed_rows)
            now = targets.among(consequence, changed_rows)
            if was != now:
                rows[rule_id] = np.array(sorted((set(before.tolist()) - was) | now), np.int64)
        return RuleBook(catalogue, self.stored, self.changes, rows, self.conditions)

    def steering(self, situation: "Situation") -> Steering:
        """What the rules that hold do together."""
        if not self.stored:
            return NOTHING
        holding = self.conditions.holding(situation)
        kept = self._kept.get(holding)
        if kept is None:
            while len(self._kept) >= MOST_KEPT:
                self._kept.pop(next(iter(self._kept)), None)
            rules = [self.conditions.rules[place] for place in sorted(holding[0] + holding[1])]
            codes = self.catalogue.declaration.entity_code
            kept = steering_of([(one, self.rows[one.rule_id]) for one in rules], len(self.catalogue), codes)
            self._kept[holding] = kept
        return kept

    def _consequence(self, rule_id: str) -> Consequence:
        rule = self.stored[rule_id].rule
        assert rule is not None
        return rule.consequence


def _conditions_of(stored: Mapping[str, StoredRule]) -> Conditions:
    """Of the enabled rules, by falling priority, then by id."""
    enabled = [one for one in stored.values() if one.rule is not None and one.rule.enabled]
    return Conditions(sorted(enabled, key=lambda one: (-one.rule.priority if one.rule else 0, one.rule_id)))


def _among(rows: NDArray[np.int64], few: frozenset[int]) -> frozenset[int]:
    """Which of a few rows are among these, which rise."""
    if len(rows) == 0:
        return frozenset()
    wanted = np.fromiter(few, np.int64, len(few))
    places = np.minimum(np.searchsorted(rows, wanted), len(rows) - 1)
    return frozenset(wanted[rows[places] == wanted].tolist())


def _rows_of(stored: Iterable[StoredRule], targets: Targets) -> dict[str, NDArray[np.int64]]:
    return {
        one.rule_id: targets.rows(one.rule.consequence) for one in stored if one.rule is not None and one.rule.enabled
    }
