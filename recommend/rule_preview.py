"""A draft of a rule, tried on the lists of some users without storing it."""

from collections.abc import Sequence

from domain.answers import RankedItem, RankedList
from domain.rule_answers import Preview, PreviewItem, PreviewList


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
