"""Neighbours: items near an item, users near a user, items of an entity, entities near a user; and plain look-ups."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.answers import Neighbour
from recommend import texts
from recommend.drafts import DraftPath, iso_time, taste_path
from recommend.grounds import Ground, Split, Splitter, no_contributions
from recommend.nearby import near_entities
from recommend.profiles import UserRecord
from recommend.ranking import Ranking
from recommend.subject import Subject, Taste, known_subject
from recommend.wording import Wording
from recommend.world import View

MOST_SHARED = 5  # names of shared entities per neighbour


def similar_items(view: View, item_row: int, n: int) -> tuple[Neighbour, ...]:
    """Available items that the same people took and that have the same entities; see Scorer.similarity.

    Without a model: by the entities that they share (Jaccard).
    """
    similarity = _overlap(view, item_row) if view.scorer is None else view.scorer.similarity(item_row)
    allowed = view.catalogue.available & (similarity > 0)
    allowed[item_row] = False
    catalogue = view.catalogue
    return tuple(
        Neighbour(
            id=catalogue.item_ids[row],
            similarity=float(similarity[row]),
            name=catalogue.item_names[row],
            label="Item",
            shared=_shared(view, item_row, row),
        )
        for row in _top(similarity, catalogue.item_ids, allowed, n)
    )


def similar_users(view: View, record: UserRecord, n: int) -> tuple[Neighbour, ...]:
    """Users of the snapshot by the cosine of composed vectors. common: how many items both took."""
    if view.scorer is None:
        return ()
    subject = known_subject(view, record)
    similarity = view.people.vectors @ view.scorer.user_vector(view.scorer.weigh(subject.events))
    allowed = similarity > 0
    barred = [*view.profiles.hidden_rows, *record.rows]
    allowed[barred] = False
    rows = _top(similarity, view.snapshot.user_ids, allowed, n)
    seen = np.fromiter(subject.seen, np.int64, len(subject.seen))
    return tuple(
        Neighbour(
            id=view.snapshot.user_ids[row],
            similarity=float(similarity[row]),
            label="User",
            common=len(np.intersect1d(view.histories[row].item_rows, seen)),
        )
        for row in rows
    )


def user_entities(view: View, subject: Subject, n: int) -> tuple[Neighbour, ...]:
    """Entities nearest to what a user took: see near_entities."""
    rows, similarity = near_entities(view, subject, n)
    catalogue = view.catalogue
    return tuple(
        Neighbour(
            id=catalogue.entity_ids[row],
            similarity=float(similarity[row]),
            name=texts.entity_name(view, row),
            label=catalogue.label(row),
        )
        for row in rows
    )


def entity_items(view: View, entity_row: int, n: int) -> tuple[Ranking, Splitter, tuple[int, ...]]:
    """Available items of an entity, those that most people took first; the score is how many took it."""
    _, ever = view.popular_counts
    scores = ever.astype(np.float32)
    ranking = Ranking("popular", False, {"popularity": scores}, scores)
    links = {} if view.catalogue.is_sensitive(entity_row) else _items_of(view, entity_row)
    allowed = np.zeros(len(view.catalogue), np.bool_)
    allowed[list(links)] = True
    rows = _top(scores, view.catalogue.item_ids, allowed & view.catalogue.available, n)
    return ranking, _TopicSplitter(view, entity_row, links, ranking), tuple(rows)


def item(view: View, item_row: int) -> dict[str, object]:
    """An item's fields, properties and relations, each relation with the name of what it leads to."""
    catalogue = view.catalogue
    put = catalogue.as_put(item_row)
    _, ever = view.popular_counts
    return {
        "item_id": put.item_id,
        "name": put.name,
        "item_kind": put.item_kind,
        "available": put.available,
        "created_at": None if put.created_at is None else iso_time(put.created_at),
        "properties": put.properties,
        "relations": [
            {"type": end.type, "entity_id": end.entity_id, "name": _name_of(view, end.entity_id)}
            for end in put.relations
        ],
        "people": int(ever[item_row]),
    }


def entity(view: View, entity_row: int) -> dict[str, object]:
    """An entity's id, name (told through its items when it has none), label and number of items."""
    catalogue = view.catalogue
    return {
        "entity_id": catalogue.entity_ids[entity_row],
        "name": catalogue.entity_names[entity_row],
        "told_as": texts.entity_name(view, entity_row),
        "label": catalogue.label(entity_row),
        "items": catalogue.degree(entity_row),
    }


class _TopicSplitter:
    """One reason per item: its relation to the entity, with the path."""

    def __init__(self, view: View, entity_row: int, links: dict[int, int], ranking: Ranking) -> None:
        self._view = view
        self._entity_row = entity_row
        self._links = links
        self._ranking = ranking

    def split(self, item_row: int) -> Split:
        code, value = self._links[item_row], float(self._ranking.total[item_row])
        subject = Subject(None, None, (), (), self._view.declaration)
        taste = Taste(self._entity_row, 1.0, "request")

        def tell(words: Wording) -> tuple[str, DraftPath | None]:
            text = texts.topical(words, self._view, code, self._entity_row, ever=int(value))
            return text, taste_path(self._view, subject, taste, code, item_row)

        return Split(value, (Ground("popular", value, tell, has_path=True),), no_contributions)


def _items_of(view: View, entity_row: int) -> dict[int, int]:
    """item row -> the first relation code that may be shown."""
    links: dict[int, int] = {}
    for code, row in view.catalogue.knowledge.of_right(entity_row):
        if not view.catalogue.relation(code).sensitive:
            links.setdefault(row, code)
    return links


def _overlap(view: View, item_row: int) -> NDArray[np.float32]:
    """(I,) shared relations over all relations of both."""
    knowledge, similarity = view.catalogue.knowledge, np.zeros(len(view.catalogue), np.float32)
    own = set(knowledge.of_left(item_row))
    for other in {row for _, entity_row in own for _, row in knowledge.of_right(entity_row)}:
        theirs = set(knowledge.of_left(other))
        similarity[other] = len(own & theirs) / len(own | theirs)
    return similarity


def _shared(view: View, left: int, right: int) -> tuple[str, ...]:
    """Which entities both items have, the rarest first."""
    catalogue = view.catalogue
    links = set(catalogue.knowledge.of_left(left)) & set(catalogue.knowledge.of_left(right))
    shown = [(code, row) for code, row in links if catalogue.may_show(code, row)]
    shown.sort(key=lambda link: (catalogue.degree(link[1]), catalogue.entity_ids[link[1]], link[0]))
    return texts.shared(view, shown)[:MOST_SHARED]


def _name_of(view: View, node_id: str) -> str | None:
    catalogue = view.catalogue
    if node_id in catalogue.entity_rows:
        return catalogue.entity_names[catalogue.entity_rows[node_id]]
    return catalogue.item_names[catalogue.item_rows[node_id]] if node_id in catalogue.item_rows else None


def _top(scores: NDArray[Any], ids: NDArray[np.object_], allowed: NDArray[np.bool_], n: int) -> list[int]:
    """At most n allowed rows by falling score, equal scores by id."""
    rows = np.flatnonzero(allowed)
    if len(rows) > n > 0:
        least = np.partition(scores[rows], len(rows) - n)[len(rows) - n]
        rows = rows[scores[rows] >= least]
    return sorted(rows.tolist(), key=lambda row: (-scores[row], ids[row]))[:n]
