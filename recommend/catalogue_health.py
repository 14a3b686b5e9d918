"""How healthy the catalogue is: what the lists of a sample of users show of it, and what joins it together."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from domain.answers import CatalogueHealth, Found, Shown
from recommend.catalogue import Catalogue
from recommend.search import found_entity, found_item
from recommend.world import View

MOST = 50  # items and entities named in each part
TENTH = 0.1


def sample(view: View, users: int) -> list[str]:
    """Ids of so many users with events, evenly spread over the snapshot: the same ones each time."""
    rows = np.unique(view.snapshot.interactions.user_rows)
    rows = rows[~np.isin(rows, list(view.profiles.hidden_rows))]
    places = np.unique(np.linspace(0, len(rows) - 1, min(users, len(rows))).round().astype(np.int64))
    return view.snapshot.user_ids[rows[places]].tolist() if len(rows) else []


def report(view: View, lists: Sequence[tuple[int, ...]], n: int) -> CatalogueHealth:
    """lists: the item rows that each sampled user is shown, at most n each."""
    catalogue = view.catalogue
    _, people = view.popular_counts
    shown = Counter(row for rows in lists for row in rows)
    available = np.flatnonzero(catalogue.available).tolist()
    never = [row for row in available if row not in shown]
    top = set(_by_people(catalogue, people.tolist(), available)[: max(1, round(TENTH * len(available)))])
    bare = [row for row in range(len(catalogue)) if not catalogue.knowledge.of_left(row)]
    return CatalogueHealth(
        items=len(catalogue),
        available=len(available),
        entities=len(catalogue.entity_rows),
        lists=len(lists),
        n=n,
        shown=len(shown),
        coverage=len(shown) / len(available) if available else 0.0,
        popular_shown_share=_share(sum(shown[row] for row in top), sum(shown.values())),
        popular_taken_share=_share(sum(int(people[row]) for row in top), int(people[available].sum())),
        never=len(never),
        never_items=tuple(found_item(view, row) for row in _by_people(catalogue, people.tolist(), never)[:MOST]),
        most_shown=tuple(_shown(view, row, count, len(lists)) for row, count in _most(catalogue, shown)),
        bare=len(bare),
        bare_items=tuple(found_item(view, row) for row in _by_people(catalogue, people.tolist(), bare)[:MOST]),
        hubs=_hubs(view),
    )


def _by_people(catalogue: Catalogue, people: Sequence[int], rows: Sequence[int]) -> list[int]:
    """The rows, those that most people took first."""
    return sorted(rows, key=lambda row: (-people[row], catalogue.item_ids[row]))


def _most(catalogue: Catalogue, shown: Counter[int]) -> list[tuple[int, int]]:
    return sorted(shown.items(), key=lambda pair: (-pair[1], catalogue.item_ids[pair[0]]))[:MOST]


def _shown(view: View, row: int, count: int, lists: int) -> Shown:
    item_id, name = view.catalogue.item_ids[row], view.catalogue.item_names[row]
    return Shown(item_id=item_id, name=name, lists=count, share=_share(count, lists))


def _hubs(view: View) -> tuple[Found, ...]:
    """Entities with the most items. Sensitive ones are not told."""
    catalogue = view.catalogue
    rows = [row for row in catalogue.entity_rows.values() if not catalogue.is_sensitive(row)]
    rows.sort(key=lambda row: (-catalogue.degree(row), catalogue.entity_ids[row]))
    return tuple(found_entity(view, row) for row in rows[:MOST])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
