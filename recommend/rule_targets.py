"""The items that a rule is about, as rows of a catalogue."""

from collections.abc import Iterable, Set
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.rules import Consequence, Target
from recommend.catalogue import Catalogue
from recommend.field_index import FieldIndex
from recommend.filter import compile_filter

Node = tuple[str, int]  # "item" or "entity", and its row
NO_ROWS = np.empty(0, np.int64)


class Targets:
    """Rows for the targets of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @cached_property
    def _fields(self) -> FieldIndex:
        return FieldIndex(self._catalogue)

    def rows(self, consequence: Consequence) -> NDArray[np.int64]:
        """(m,) rows, rising: of the target, of a pin's item, of the items of a share's entity; none of a cap."""
        if consequence.target is not None:
            return self._of_target(consequence.target)
        if consequence.item_id is not None:
            return self._of_items((consequence.item_id,))
        if consequence.entity_id is not None:
            row = self._catalogue.entity_rows.get(consequence.entity_id)
            linked = () if row is None else (item for _, item in self._catalogue.knowledge.of_right(row))
            return _rising(linked)
        return NO_ROWS

    def among(self, consequence: Consequence, rows: Set[int]) -> Set[int]:
        """Which of these few rows `rows` has: without looking at any other item."""
        if consequence.target is None:
            return rows & set(self.rows(consequence).tolist())
        target, found = consequence.target, rows
        if target.item_ids:
            found = found & set(self._of_items(target.item_ids).tolist())
        if target.path and found:
            found = self._leading(found, target.path, target.to)
        if target.filter is not None and found:
            test = compile_filter(target.filter, self._catalogue.field_names)
            found = {row for row in found if test(lambda name, row=row: self._catalogue.field(row, name))}
        return found

    def _of_target(self, target: Target) -> NDArray[np.int64]:
        parts: list[NDArray[np.int64]] = []
        if target.item_ids:
            parts.append(self._of_items(target.item_ids))
        if target.path:
            parts.append(self._of_path(target.path, target.to))
        if target.filter is not None:
            parts.append(np.flatnonzero(self._fields.mask(target.filter)))
        rows = parts[0] if parts else NO_ROWS
        for part in parts[1:]:
            rows = np.intersect1d(rows, part, assume_unique=True)
        return rows

    def _of_items(self, item_ids: Iterable[str]) -> NDArray[np.int64]:
        rows = self._catalogue.item_rows
        return _rising(rows[item_id] for item_id in item_ids if item_id in rows)

    def _of_path(self, path: tuple[str, ...], end: str | None) -> NDArray[np.int64]:
        """Items from which the relations lead to the end; the end itself is not one of them."""
        start = self._node(end)
        if start is None:
            return NO_ROWS
        nodes = {start}
        for type_name in reversed(path):
            code = self._catalogue.declaration.relation_code.get(type_name)
            nodes = set() if code is None else {other for node in nodes for other in self._beside(node, code)}
        return _rising(row for kind, row in nodes - {start} if kind == "item")

    def _leading(self, rows: Set[int], path: tuple[str, ...], end: str | None) -> Set[int]:
        """Those of a few rows from which the relations lead to the end."""
        goal, codes = self._node(end), [self._catalogue.declaration.relation_code.get(name) for name in path]
        if goal is None or None in codes:
            return set()
        found: set[int] = set()
        for row in rows:
            nodes: set[Node] = {("item", row)}
            for code in codes:
                nodes = {other for node in nodes for other in self._beside(node, code or 0)}
            if goal in nodes and goal != ("item", row):
                found.add(row)
        return found

    def _node(self, node_id: str | None) -> Node | None:
        catalogue = self._catalogue
        for kind, rows in (("entity", catalogue.entity_rows), ("item", catalogue.item_rows)):
            if node_id is not None and node_id in rows:
                return kind, rows[node_id]
        return None

    def _beside(self, node: Node, code: int) -> list[Node]:
        """What a relation of this type joins with a node, whichever way it runs."""
        (kind, row), catalogue = node, self._catalogue
        if kind == "item":
            entities = [("entity", other) for one, other in catalogue.knowledge.of_left(row) if one == code]
            links = (*catalogue.item_links.of_left(row), *catalogue.item_links.of_right(row))
        else:
            entities = [("item", other) for one, other in catalogue.knowledge.of_right(row) if one == code]
            links = (*catalogue.entity_links.of_left(row), *catalogue.entity_links.of_right(row))
        return entities + [(kind, other) for one, other in links if one == code]


def _rising(rows: Iterable[int]) -> NDArray[np.int64]:
    return np.array(sorted(set(rows)), np.int64)
