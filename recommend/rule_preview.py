"""A draft of a rule, tried on the lists of some users without storing it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.answers import RankedItem, RankedList
from domain.rule_answers import Preview, PreviewItem, PreviewList
from domain.rules import Rule, StoredRule
from recommend.catalogue_health import sample
from recommend.request import RecommendRequest
from recommend.rule_conditions import Conditions
from recommend.situation import Situation
from recommend.subject import subject_of
from recommend.world import View

SAMPLE = 5
MOST_ASKED = 200


def users_for(view: View, rule: Rule, request: RecommendRequest, at: int) -> list[str]:
    """Five users of the last load, evenly spread: of those for whom the rule holds at a time (ms UTC), or else of all.

    request: how their lists will be asked for; of some user, who does not count.
    """
    asked = rule.condition
    if not (asked.segments or asked.profile or asked.entities):
        return sample(view, SAMPLE)
    conditions = Conditions([StoredRule(rule_id="draft", version=0, at=at, by="", rule=rule)])
    found: list[str] = []
    for user_id in sample(view, MOST_ASKED):
        theirs = replace(request, user_id=user_id)
        if conditions.holding(Situation(view, subject_of(view, theirs, at), theirs, at))[1]:
            found.append(user_id)
    places = np.unique(np.linspace(0, len(found) - 1, min(SAMPLE, len(found))).round().astype(np.int64))
    return [found[place] for place in places] if found else sample(view, SAMPLE)


def preview_of(pairs: Sequence[tuple[RankedList, RankedList]], warnings: tuple[str, ...]) -> Preview:
    """pairs: each user's list as it is, and with the draft."""
    lists = tuple(
        PreviewList(
            user_id=after.user_id or "",
            before=_compared(before.items, after.items, sign=-1),
            after=_compared(after.items, before.items, sign=1),
            notes=tuple(note for note in after.notes if note not in before.notes),
        )
        for before, after in pairs
    )
    changed = sum([item.item_id for item in one.before] != [item.item_id for item in one.after] for one in lists)
    return Preview(lists=lists, changed=changed, warnings=warnings)


def _compared(items: Sequence[RankedItem], others: Sequence[RankedItem], *, sign: int) -> tuple[PreviewItem, ...]:
    ranks = {item.item_id: item.rank for item in others}
    return tuple(
        PreviewItem(
            item_id=item.item_id,
            name=item.name,
            rank=item.rank,
            score=item.score,
            moved=sign * (ranks[item.item_id] - item.rank) if item.item_id in ranks else None,
            rules=item.rules,
        )
        for item in items
    )
