"""The entity part of a score, by what a user's liked items and another item both have."""

import dataclasses
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from recommend import texts
from recommend.drafts import DraftPath, attribute_path
from recommend.entity_index import EntityIndex
from recommend.grounds import Ground
from recommend.history import Weighted
from recommend.likes import Likes, Shared
from recommend.links import Link
from recommend.score import Scorer
from recommend.subject import Subject
from recommend.wording import Wording
from recommend.world import View

Places = NDArray[np.int64]

MOST_GROUNDS = 25


class Attributes:
    """For one user, many items."""

    def __init__(self, view: View, subject: Subject, scorer: Scorer, weighted: Weighted) -> None:
        self._view = view
        self._subject = subject
        self._scorer = scorer
        self._weighted = weighted

    @cached_property
    def index(self) -> EntityIndex:
        return self._scorer.entity_index(self._weighted)

    def shared_with(self, item_row: int) -> Shared:
        """What the item has in common with liked ones. What is masked adds nothing, what is hidden is not told."""
        likes, catalogue, weights = self._likes, self._view.catalogue, self._scorer.weights
        own = np.flatnonzero(self.index.rows == item_row)
        if len(own):  # an item is no reason for itself
            others = np.where(self.index.rows == item_row, np.float32(0), self._amounts)
            likes = Likes(self.index, others, self._may_tell)
        shared = likes.shared_with(item_row, float(weights.target_scale[item_row]))
        entities, told = weights.feature_entities[shared.columns], shared.told.copy()
        relations_hidden, types_hidden = self._hidden
        types = catalogue.entity_types[entities]
        told[relations_hidden[weights.feature_relations[shared.columns]] | types_hidden[types]] = 0
        if catalogue.has_changed(item_row):
            holds = [catalogue.still_holds(item_row, *self._link(column)) for column in shared.columns.tolist()]
            told[~np.array(holds, np.bool_)] = 0
        counts = ~np.isin(entities, list(self._subject.masked))
        return dataclasses.replace(shared, amounts=shared.amounts * counts, told=told * counts)

    def grounds(self, shared: Shared, item_row: int, *, wanted: float, least: float) -> list[Ground]:
        """One ground per feature, over all events that share it; the 25 strongest.

        wanted: where no single one weighs as much and those of a relation together do, they are one ground.
        least: what a reason weighs to be told; those of them that would be told alike are one ground, too.
        """
        order = np.argsort(-shared.told, kind="stable")
        order = order[shared.told[order] > 0]
        together = list[Places]()
        if len(order) and shared.told[order[0]] < wanted:
            relations = self._scorer.weights.feature_relations[shared.columns]
            enough = np.flatnonzero(np.bincount(relations, weights=shared.told) >= wanted)
            together = [order[relations[order] == relation] for relation in enough]
            order = order[~np.isin(relations[order], enough)]
        alike = self._alike(shared, order[shared.told[order] >= least])
        order = order[~np.isin(order, np.concatenate(alike))] if alike else order
        grounds = [self._together(shared, places, item_row) for places in (*together, *alike)]
        return grounds + self._singles(shared, order[:MOST_GROUNDS], item_row)

    def _alike(self, shared: Shared, places: Places) -> list[Places]:
        """Those without a name that read alike: of one relation, and of several items, or of the same one."""
        names = self._view.catalogue.entity_names
        by_text = defaultdict[tuple[int, int], list[int]](list)
        for place in places.tolist():
            code, entity_row = self._link(int(shared.columns[place]))
            if names[entity_row] is None:
                item = -1 if shared.events[place] > 1 else shared.likes.first(int(shared.groups[place]))
                by_text[code, item].append(place)
        return [np.array(alike) for alike in by_text.values() if len(alike) > 1]

    def _singles(self, shared: Shared, places: Places, item_row: int) -> list[Ground]:
        """One ground for each place in `shared`."""
        degrees = self._view.catalogue.degrees[self._scorer.weights.feature_entities[shared.columns[places]]]
        columns = (places.tolist(), shared.told[places].tolist(), shared.events[places].tolist(), degrees.tolist())
        return [
            Ground(
                "same_entity",
                value,
                partial(self._tell, shared, [place], item_row, events),
                True,
                events,
                1,
                events - 1,
                degree,
            )
            for place, value, events, degree in zip(*columns, strict=True)
        ]

    def _together(self, shared: Shared, places: Places, item_row: int) -> Ground:
        """One ground for all of them, which are of one relation; the strongest first."""
        events = shared.likes.events_of(shared.groups[places])
        return Ground(
            code="same_entity",
            value=float(shared.told[places].sum()),
            tell=partial(self._tell, shared, places.tolist(), item_row, events),
            has_path=True,
            events=events,
            entities=len(places),
            more_paths=int(shared.events[places].sum()) - 1,
        )

    def _tell(
        self, shared: Shared, places: Sequence[int], item_row: int, events: int, words: Wording
    ) -> tuple[str, DraftPath]:
        """The text and the path of the first; the others are named, or stand for more paths."""
        links = [self._link(int(shared.columns[place])) for place in places]
        code, entity_row = links[0]
        event_row = int(self.index.rows[shared.likes.first(int(shared.groups[places[0]]))])
        witness, entities = self._subject.witnesses[event_row], [row for _, row in links]
        text = texts.same_entity(words, self._view, witness, code, entities, events=events)
        return text, attribute_path(self._view, self._subject, witness, code, entity_row, item_row)

    @cached_property
    def _likes(self) -> Likes:
        return Likes(self.index, self._amounts, self._may_tell)

    @cached_property
    def _amounts(self) -> NDArray[np.float32]:
        """(h,) of the index's rows."""
        return self._scorer.linear_amounts(self._weighted)

    @cached_property
    def _may_tell(self) -> NDArray[np.bool_]:
        """(n,) entries of the index that the user's items still have."""
        catalogue, index = self._view.catalogue, self.index
        may_tell = np.ones(len(index.columns), np.bool_)
        changed = [place for place, row in enumerate(index.rows.tolist()) if catalogue.has_changed(row)]
        for entry in np.flatnonzero(np.isin(index.places, changed)).tolist() if changed else ():
            link = self._link(int(index.columns[entry]))
            may_tell[entry] = catalogue.still_holds(int(index.rows[index.places[entry]]), *link)
        return may_tell

    @cached_property
    def _hidden(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which relation types and which entity types are sensitive."""
        declaration = self._view.declaration
        relations = np.array([kind.sensitive for kind in declaration.relation_types], np.bool_)
        return relations, np.array([kind.sensitive for kind in declaration.entity_types], np.bool_)

    def _link(self, column: int) -> Link:
        """(relation code, entity row) of a feature."""
        weights = self._scorer.weights
        return int(weights.feature_relations[column]), int(weights.feature_entities[column])
