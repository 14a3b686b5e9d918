"""Lists for a text: the items that it finds, by Neo4j's full-text index of names, in the order of model and fit.

While Neo4j is away, names are compared in memory: whole words, without the index's weighing of rare ones.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from domain.errors import GraphRefused, GraphUnavailable
from recommend.catalogue import Catalogue
from recommend.grounds import Ground, Split, Splitter, strongest
from recommend.per_catalogue import PerCatalogue
from recommend.ports import GraphReader
from recommend.ranking import Ranking
from recommend.words import words_of
from recommend.world import View

LOGGER = logging.getLogger(__name__)
STATEMENT = "read/find_items"
PART = "query"
TIMEOUT_S = 0.25
MOST_NAMES, MOST_PER_ENTITY, MOST_ITEMS = 200, 500, 2_000
OWN, THROUGH_ENTITY = 1.0, 0.5  # how well an item fits whose own name has the words, or an entity's name
_LETTERS = re.compile(r"\w+")


def found_by(graph: GraphReader | None, view: View, query: str, ranking: Ranking) -> Ranking:
    """The ranking of the items that a text finds, with a part `query`: how well each fits, from 0 to σ of their scores.

    An item that is found needs no other evidence.
    """
    found = _by_graph(graph, view, query)
    if found is None:
        found = by_names(view.catalogue, query)
    evidence = np.zeros(len(view.catalogue), np.float32)
    for row, fit in found.items():
        evidence[row] = fit
    best = float(evidence.max(initial=0.0))
    if best == 0:
        return replace(ranking, evidence=evidence)
    sigma = float(np.std(ranking.total[list(found)]))
    part = evidence * np.float32((sigma or 1.0) / best)
    return replace(ranking, parts={**ranking.parts, PART: part}, evidence=evidence)


@dataclass(frozen=True)
class FoundSplitter:
    """With what the text adds to the score as one more term. ranking: of found_by."""

    splitter: Splitter
    ranking: Ranking

    def split(self, item_row: int) -> Split:
        split, part = self.splitter.split(item_row), self.ranking.parts.get(PART)
        if part is None or part[item_row] <= 0:
            return split
        ground = Ground("query", float(part[item_row]), lambda words: (words.say("query"), None), has_path=False)
        grounds = strongest((*split.grounds, ground))
        return replace(split, positive=split.positive + ground.value, grounds=grounds)


def by_names(catalogue: Catalogue, query: str) -> dict[int, float]:
    """item row -> how well it fits: all words of the query are in its name, or in that of one of its entities."""
    found: dict[int, float] = {}
    names = _names.of(catalogue)
    words = words_of(query)
    for row in set.intersection(*(names[0].get(word, set()) for word in words)):
        found[row] = OWN
    for entity_row in set.intersection(*(names[1].get(word, set()) for word in words)):
        for code, row in catalogue.knowledge.of_right(entity_row):
            if catalogue.may_show(code, entity_row):
                found.setdefault(row, THROUGH_ENTITY)
    return found


def _by_graph(graph: GraphReader | None, view: View, query: str) -> dict[int, float] | None:
    """None: Neo4j does not answer. Names with all words; where there are none, those with any."""
    if graph is None:
        return None
    words = _LETTERS.findall(query)
    for joined in (" AND ".join(f'"{word}"' for word in words), " OR ".join(f'"{word}"' for word in words)):
        parameters: dict[str, object] = {
            "text": joined,
            "relations": [
                r.type for r in view.declaration.relation_types if "Item" in (r.head, r.tail) and not r.sensitive
            ],
            "per_entity": MOST_PER_ENTITY,
            "nodes": MOST_NAMES,
            "limit": MOST_ITEMS,
        }
        try:
            rows = graph.rows(STATEMENT, parameters, timeout_s=TIMEOUT_S)
        except GraphUnavailable:
            return None
        except GraphRefused as error:
            LOGGER.info("%s: %s", STATEMENT, error)
            return None
        known = view.catalogue.item_rows
        found = {known[str(r["item_id"])]: cast(float, r["score"]) for r in rows if r["item_id"] in known}
        if found:
            return found
    return {}


def _words(catalogue: Catalogue) -> tuple[Mapping[str, set[int]], Mapping[str, set[int]]]:
    """word -> rows of the items, and of the entities, whose names have it."""
    items: dict[str, set[int]] = {}
    entities: dict[str, set[int]] = {}
    for row, name in enumerate(catalogue.item_names):
        for word in words_of(name or ""):
            items.setdefault(word, set()).add(row)
    for row in catalogue.entity_rows.values():
        for word in words_of(catalogue.entity_names[row] or ""):
            entities.setdefault(word, set()).add(row)
    return items, entities


_names = PerCatalogue(_words)
