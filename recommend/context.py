"""What an item shares with the user's items and the score made nothing of: told as context, never as the reason."""

from itertools import islice

from recommend import texts
from recommend.adapt import weights_of
from recommend.drafts import attribute_path
from recommend.grounds import Ground
from recommend.popularity import is_positive
from recommend.subject import Deed, Subject
from recommend.world import View

MOST = 3
MOST_ITEMS = 1_000  # of an entity that is looked through: a hub says nothing and costs much

Shared = tuple[int, int]  # (relation code, entity row)


def context_grounds(view: View, subject: Subject, item_row: int) -> list[Ground]:
    """At most three attributes of the item that had no weight, though an item the user liked has them; rare first."""
    if not subject.has_liked:
        return []
    carried, catalogue = _carried(view, subject, item_row), view.catalogue
    links = [link for link in catalogue.knowledge.of_left(item_row) if link not in carried]
    links = [link for link in links if catalogue.degree(link[1]) <= MOST_ITEMS and catalogue.may_show(*link)]
    links.sort(key=lambda link: (catalogue.degree(link[1]), link[0], catalogue.entity_ids[link[1]]))
    grounds = (_ground(view, subject, shared, item_row) for shared in links)
    return list(islice((ground for ground in grounds if ground is not None), MOST))


def _deeds_with(view: View, subject: Subject, shared: Shared, item_row: int) -> list[Deed]:
    """The user's deeds that speak for other items with this attribute."""
    code, entity_row = shared
    rows = {row for other, row in view.catalogue.knowledge.of_right(entity_row) if other == code} - {item_row}
    deeds = [subject.witnesses[row] for row in rows if row in subject.witnesses]
    return [deed for deed in deeds if is_positive(deed.kind, deed.value)]


def _carried(view: View, subject: Subject, item_row: int) -> set[Shared]:
    """What has a term in the score, of either sign."""
    if view.scorer is None:
        return set()
    terms = view.scorer.entity_columns(weights_of(view, subject), item_row)
    used = terms.values != 0
    return set(zip(terms.relation_codes[used].tolist(), terms.entity_rows[used].tolist(), strict=True))


def _ground(view: View, subject: Subject, shared: Shared, item_row: int) -> Ground | None:
    """None when no item that the user liked has it. The newest one that has is the witness."""
    deeds = _deeds_with(view, subject, shared, item_row)
    if not deeds:
        return None
    deed, (code, entity_row) = max(deeds, key=lambda deed: (deed.at, deed.item_row)), shared
    return Ground(
        code="context",
        value=0.0,
        tell=lambda words: (
            texts.context(words, view, deed, code, entity_row),
            attribute_path(view, subject, deed, code, entity_row, item_row),
        ),
        has_path=True,
    )
