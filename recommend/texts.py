"""Reasons in words. Sentences come from the wording of a language, names from the catalogue."""

from collections import Counter
from collections.abc import Sequence

from recommend.subject import Deed, Subject
from recommend.wording import DEFAULT, Wording, wordings
from recommend.world import View

ENGLISH = wordings()[DEFAULT]
MOST_NAMED = 3  # entities of one reason


def same_entity(words: Wording, view: View, deed: Deed, code: int, entity_rows: Sequence[int], *, events: int) -> str:
    """ "Same director as Pulp Fiction, which you rated 5: Quentin Tarantino"; of several entities the first three."""
    sentence = "same_entity" if events == 1 else "same_entities"
    return _of_entities(words, view, deed, code, entity_rows, sentence, events=events)


def context(words: Wording, view: View, deed: Deed, code: int, entity_row: int) -> str:
    """ "Also has the same country as Pulp Fiction, which you rated 5: USA; that had no weight"."""
    return _of_entities(words, view, deed, code, [entity_row], "context")


def _of_entities(
    words: Wording, view: View, deed: Deed, code: int, entity_rows: Sequence[int], sentence: str, **values: object
) -> str:
    names = [name for row in entity_rows if (name := view.catalogue.entity_names[row])]
    told = words.listed(names[:MOST_NAMED])
    values |= {"item": view.catalogue.item_names[deed.item_row], "which": _which(words, deed)}
    return words.say_of(view.catalogue.relation(code), f"{sentence}_named" if told else sentence, told, **values)


def taken_together(words: Wording, view: View, deed: Deed, *, people: int, events: int) -> str:
    """ "143 people who took Cucumbers also took this; 5 more of yours go with it"."""
    sentence = "taken_together" + {1: "", 2: "_two"}.get(events, "_more")
    return words.say(sentence, people=people, item=view.catalogue.item_names[deed.item_row], more=events - 1)


def stated_taste(words: Wording, view: View, code: int, entity_row: int) -> str:
    """ "Directed by Quentin Tarantino, one of the tastes you stated"."""
    is_named = view.catalogue.entity_names[entity_row] is not None
    return _described(words, view, code, entity_row, "stated_taste", is_named=is_named)


def topical(words: Wording, view: View, code: int, entity_row: int, *, ever: int) -> str:
    """ "Directed by Quentin Tarantino; 143 people took it"."""
    return _described(words, view, code, entity_row, "topical", people=_people(words, ever))


def _described(
    words: Wording, view: View, code: int, entity_row: int, sentence: str, *, is_named: bool = True, **values: object
) -> str:
    relation, name = view.catalogue.relation(code), entity_name(view, entity_row, words)
    described = words.described(relation, name, is_named=is_named)
    return _capital(words.say_of(relation, sentence, name, described=described, **values))


def told_by_neighbours(words: Wording, view: View, entity_row: int) -> str:
    """An entity without a name: "the director of Pulp Fiction and Reservoir Dogs", by what it most often is."""
    links = view.catalogue.knowledge.of_right(entity_row)
    codes = Counter(code for code, _ in links)
    noun = words.noun(view.declaration.entity_types[view.catalogue.entity_types[entity_row]])
    if codes:
        often = max(codes, key=lambda code: (codes[code], -code))
        noun = words.same(view.catalogue.relation(often))
        links = [link for link in links if link[0] == often]
    names = [str(view.catalogue.item_names[row]) for row in dict.fromkeys(row for _, row in links)][:2]
    if not names:
        return words.say("neighbours_none", noun=noun, id=view.catalogue.entity_ids[entity_row])
    items = names[0] if len(names) == 1 else words.say("both", left=names[0], right=names[1])
    return words.say("neighbours", noun=noun, items=items)


def shared(view: View, links: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """What two items have in common, in the order of the links: "director: Quentin Tarantino", "actor (4)"."""
    unnamed = Counter(code for code, row in links if view.catalogue.entity_names[row] is None)
    told: dict[str, None] = {}
    for code, row in links:
        same, name = view.catalogue.relation(code).same, view.catalogue.entity_names[row]
        several = f" ({unnamed[code]})" if unnamed[code] > 1 else ""
        told[f"{same}: {name}" if name else f"{same}{several}"] = None
    return tuple(told)


def entity_name(view: View, entity_row: int, words: Wording = ENGLISH) -> str:
    """The entity's name, or what its neighbours say of it."""
    return view.catalogue.entity_names[entity_row] or told_by_neighbours(words, view, entity_row)


def similar_people(words: Wording, view: View, subject: Subject, *, liked: int, peers: int, least: int) -> str:
    """ "Taken by 23 of 40 people like you (20 to 29)"; small groups are not counted out loud."""
    ends = subject.record.relations if subject.record else ()
    rows = [view.catalogue.entity_rows.get(end.entity_id) for end in ends]
    values = ", ".join(
        entity_name(view, row, words) for row in rows if row is not None and not view.catalogue.is_sensitive(row)
    )
    return words.say(
        "similar_people" if liked >= least else "similar_people_few", liked=liked, peers=peers, values=values
    )


def popular(words: Wording, *, recent: int, ever: int, days: int) -> str:
    """ "Popular: 143 people took it in the last 30 days"."""
    if recent > 0:
        return words.say("popular_recent", people=_people(words, recent), days=days)
    return words.say("popular_ever", people=_people(words, ever))


def _which(words: Wording, deed: Deed) -> str:
    if deed.source in ("context", "pick"):
        return words.say(f"which_{deed.source}")
    return words.say("which", verb=words.verb(deed.kind, deed.value))


def _people(words: Wording, count: int) -> str:
    return words.say("person") if count == 1 else words.say("people", count=count)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
