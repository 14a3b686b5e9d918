"""Reasons in plain English. Nouns and verbs come from the declaration, names from the catalogue."""

from collections import Counter
from collections.abc import Sequence

from recommend.subject import Deed, Subject
from recommend.world import View

ANY_TASTE = "Fits what you took as a whole"
SOME_TASTE = "Close to the tastes you stated"


def same_entity(view: View, deed: Deed, code: int, entity_row: int, *, events: int) -> str:
    """ "Same director as Pulp Fiction, which you rated 5: Quentin Tarantino"."""
    same = view.catalogue.relation(code).same
    name = view.catalogue.entity_names[entity_row]
    witness = f"{view.catalogue.item_names[deed.item_row]}, {_which(deed)}"
    start = f"Same {same} as {witness}" if events == 1 else f"Same {same} as {events} of yours, such as {witness}"
    return start if name is None else f"{start}: {name}"


def taken_together(view: View, deed: Deed, *, people: int, events: int) -> str:
    """ "143 people who took Cucumbers also took this; 5 more of yours go with it"."""
    text = f"{people} people who took {view.catalogue.item_names[deed.item_row]} also took this"
    if events == 1:
        return text
    return f"{text}; {events - 1} more of yours {'goes' if events == 2 else 'go'} with it"


def stated_taste(view: View, code: int, entity_row: int) -> str:
    """ "Directed by Quentin Tarantino, one of the tastes you stated"."""
    name = view.catalogue.entity_names[entity_row]
    told = f"{view.catalogue.relation(code).phrase} {name}" if name else f"has {told_by_neighbours(view, entity_row)}"
    return f"{_capital(told)}, one of the tastes you stated"


def told_by_neighbours(view: View, entity_row: int) -> str:
    """An entity without a name: "the director of Pulp Fiction and Reservoir Dogs", by what it most often is."""
    links = view.catalogue.knowledge.of_right(entity_row)
    codes = Counter(code for code, _ in links)
    noun = view.declaration.entity_types[view.catalogue.entity_types[entity_row]].noun
    if codes:
        often = max(codes, key=lambda code: (codes[code], -code))
        noun, links = view.catalogue.relation(often).same, [link for link in links if link[0] == often]
    names = [str(view.catalogue.item_names[row]) for row in dict.fromkeys(row for _, row in links)][:2]
    return f"the {noun} of {' and '.join(names)}" if names else f"the {noun} {view.catalogue.entity_ids[entity_row]}"


def shared(view: View, links: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """What two items have in common, in the order of the links: "director: Quentin Tarantino", "actor (4)"."""
    unnamed = Counter(code for code, row in links if view.catalogue.entity_names[row] is None)
    told: dict[str, None] = {}
    for code, row in links:
        same, name = view.catalogue.relation(code).same, view.catalogue.entity_names[row]
        several = f" ({unnamed[code]})" if unnamed[code] > 1 else ""
        told[f"{same}: {name}" if name else f"{same}{several}"] = None
    return tuple(told)


def entity_name(view: View, entity_row: int) -> str:
    """The entity's name, or what its neighbours say of it."""
    return view.catalogue.entity_names[entity_row] or told_by_neighbours(view, entity_row)


def similar_people(view: View, subject: Subject, *, liked: int, peers: int, least: int) -> str:
    """ "Taken by 23 of 40 people like you (20 to 29)"; small groups are not counted out loud."""
    ends = subject.record.relations if subject.record else ()
    rows = [view.catalogue.entity_rows.get(end.entity_id) for end in ends]
    values = ", ".join(
        entity_name(view, row) for row in rows if row is not None and not view.catalogue.is_sensitive(row)
    )
    who = f"people like you ({values})"
    return f"Taken by {liked} of {peers} {who}" if liked >= least else f"Taken by {who}"


def popular(*, recent: int, ever: int, days: int) -> str:
    """ "Popular: 143 people took it in the last 30 days"."""
    if recent > 0:
        return f"Popular: {_people(recent)} took it in the last {days} days of the data"
    return f"Popular: {_people(ever)} took it"


def topical(view: View, code: int, entity_row: int, *, ever: int) -> str:
    """ "Directed by Quentin Tarantino; 143 people took it"."""
    phrase = _capital(view.catalogue.relation(code).phrase)
    return f"{phrase} {entity_name(view, entity_row)}; {_people(ever)} took it"


def _which(deed: Deed) -> str:
    if deed.source == "context":
        return "which you are looking at"
    if deed.source == "pick":
        return "which you picked"
    value = "" if deed.value is None else f"{deed.value:g}"
    return f"which you {deed.kind.verb.replace('{value}', value).strip()}"


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
