"""Users, items and entities by what they are called. In memory: as fresh as the next list, with Neo4j away too."""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from domain.answers import Found
from recommend import texts
from recommend.world import View

Kind = Literal["user", "item", "entity"]
KINDS: tuple[Kind, ...] = ("item", "entity", "user")
NAMESAKES = 3  # films whose people, brands … are found by the film's name, as they have none themselves
EXACT, BEGINS, WORDS, INSIDE = range(4)  # how well a name fits, best first


def search(view: View, query: str, kinds: Sequence[Kind], n: int) -> tuple[Found, ...]:
    """At most n of each kind: best fit first, then what more people or items are joined with, then by id.

    Every word of the query has to be in the name; case and accents make no difference. Users are found by their id:
    those of the last load by a part of it, those who came later by all of it. An entity without a name is found
    through its items. Sensitive entities are not found. An empty query: the best-known of each kind.
    """
    ways = {"item": _items, "entity": _entities, "user": _users}
    return tuple(found for kind in kinds for found in ways[kind](view, query, n))


def folded(text: str) -> str:
    """The text without case and accents: "Amélie" is "amelie"."""
    if text.isascii():
        return text.casefold()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


def fit(name: str, query: str) -> int | None:
    """How well a folded name answers a folded query, 0 best; None: not at all."""
    if name == query:
        return EXACT
    if name.startswith(query):
        return BEGINS
    words = query.split()
    if not all(word in name for word in words):
        return None
    spaced = f" {name}"
    return WORDS if all(f" {word}" in spaced for word in words) else INSIDE


def _items(view: View, query: str, n: int) -> list[Found]:
    return [found_item(view, row) for row in _item_rows(view, query, n)]


def _item_rows(view: View, query: str, n: int) -> list[int]:
    catalogue, wanted = view.catalogue, folded(query)
    _, people = view.popular_counts
    names = [folded(name) for name in catalogue.item_names]
    fits = _fits(names, wanted, catalogue.item_rows.get(query))
    return [row for *_, row in sorted((how, -int(people[row]), catalogue.item_ids[row], row) for how, row in fits)][:n]


def found_item(view: View, row: int) -> Found:
    """count: how many people took it."""
    catalogue = view.catalogue
    _, people = view.popular_counts
    return Found(
        kind="item",
        id=catalogue.item_ids[row],
        name=catalogue.item_names[row],
        label=catalogue.item_kinds[row],
        count=int(people[row]),
        available=bool(catalogue.available[row]),
    )


def _entities(view: View, query: str, n: int) -> list[Found]:
    catalogue, wanted = view.catalogue, folded(query)
    exists = set(catalogue.entity_rows.values())
    names = [folded(name) if name and row in exists else None for row, name in enumerate(catalogue.entity_names)]
    fits = _fits(names, wanted, catalogue.entity_rows.get(query))
    shown = [(how, -catalogue.degree(row), catalogue.entity_ids[row], row) for how, row in fits]
    rows = [row for *_, row in sorted(shown) if not catalogue.is_sensitive(row)][:n]
    if wanted and len(rows) < n:
        rows = list(dict.fromkeys([*rows, *_unnamed_of_items(view, query)]))[:n]
    return [found_entity(view, row) for row in rows]


def found_entity(view: View, row: int) -> Found:
    """count: how many items it has."""
    catalogue = view.catalogue
    return Found(
        kind="entity",
        id=catalogue.entity_ids[row],
        name=texts.entity_name(view, row),
        label=catalogue.label(row),
        count=catalogue.degree(row),
    )


def _unnamed_of_items(view: View, query: str) -> Iterator[int]:
    """Entities without a name that belong to the items which fit best, those with most items first."""
    catalogue = view.catalogue
    for item_row in _item_rows(view, query, NAMESAKES):
        links = [link for link in catalogue.knowledge.of_left(item_row) if catalogue.may_show(*link)]
        rows = [row for _, row in links if catalogue.entity_names[row] is None]
        yield from sorted(rows, key=lambda row: (-catalogue.degree(row), catalogue.entity_ids[row]))


def _users(view: View, query: str, n: int) -> list[Found]:
    wanted, snapshot = folded(query), view.snapshot
    counts = np.bincount(snapshot.interactions.user_rows, minlength=len(snapshot.user_ids))
    fits = _fits([folded(user_id) for user_id in snapshot.user_ids], wanted, snapshot.user_row.get(query))
    ranked = sorted((how, -int(counts[row]), str(snapshot.user_ids[row])) for how, row in fits)
    ids: list[str] = [query] * bool(query) + [user_id for *_, user_id in ranked]
    found: list[Found] = []
    for user_id in dict.fromkeys(ids):
        record = view.user(user_id)
        if record is None:  # erased since, merged into another, or never there
            continue
        events = sum(int(counts[row]) for row in record.rows) + len(record.events)
        found.append(Found(kind="user", id=user_id, name=user_id, label="User", count=events))
        if len(found) == n:
            break
    return found


def _fits(names: Sequence[str | None], wanted: str, exact_row: int | None) -> list[tuple[int, int]]:
    """(how well, row) of every name that fits; the row whose id is the query fits exactly."""
    fits = [(how, row) for row, name in enumerate(names) if name is not None and (how := fit(name, wanted)) is not None]
    return fits if exact_row is None else [(EXACT, exact_row), *(one for one in fits if one[1] != exact_row)]
