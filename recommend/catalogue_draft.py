"""The next catalogue, while a batch of log records is applied to the present one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.records import EntityDeleted, EntityPut, ItemPut, ItemRetired, RelationDeleted, RelationEnd, RelationPut
from domain.snapshot import object_column
from recommend.catalogue import Catalogue
from recommend.links import Link

CatalogueRecord = ItemPut | ItemRetired | EntityPut | EntityDeleted | RelationPut | RelationDeleted


class _Column:
    """A column that may change. Nothing is copied before `freeze`, and then only where something did change."""

    def __init__(self, base: NDArray[Any], absent: object) -> None:
        self._base = base
        self._absent = absent
        self._changes: dict[int, object] = {}

    def __getitem__(self, row: int) -> Any:
        return self._changes[row] if row in self._changes else self._base[row]

    def __setitem__(self, row: int, value: object) -> None:
        """Rows may go beyond the end."""
        self._changes[row] = value

    @property
    def changed_rows(self) -> Iterable[int]:
        return self._changes.keys()

    def freeze(self, num_rows: int) -> NDArray[Any]:
        """(num_rows,) the column; what nobody set in new rows is absent."""
        if not self._changes and num_rows == len(self._base):
            return self._base
        column = np.empty(num_rows, self._base.dtype)
        column[: len(self._base)] = self._base
        column[len(self._base) :] = self._absent
        for row, value in self._changes.items():
            column[row] = value  # a list stays one value: the row is a number
        return column


class _RowsById:
    """id -> row of what is there; copied when the first one comes or goes."""

    def __init__(self, base: Mapping[str, int], num_rows: int) -> None:
        self._rows: Mapping[str, int] = base
        self._own: dict[str, int] | None = None
        self.num_rows = num_rows

    def get(self, key: str) -> int | None:
        return self._rows.get(key)

    def add(self, key: str) -> int:
        """The row of an id that is not there yet: the next one."""
        row = self._changing()[key] = self.num_rows
        self.num_rows += 1
        return row

    def remove(self, key: str) -> int | None:
        """The row that the id had, which stays empty."""
        return self._changing().pop(key) if key in self._rows else None

    def freeze(self) -> Mapping[str, int]:
        return self._rows if self._own is None else MappingProxyType(self._own)

    def _changing(self) -> dict[str, int]:
        if self._own is None:
            self._rows = self._own = dict(self._rows)
        return self._own


class CatalogueDraft:
    """Collects changes; `freeze` makes them a catalogue.

    What does not change is not copied: one new item among 100,000 costs a few milliseconds.
    Items and entities that a record names and nobody has made are made bare, as the graph's writer does. Relations and
    entities of undeclared types are left out: the API refuses them before the log.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._base = catalogue
        self._items = {
            "item_ids": _Column(catalogue.item_ids, None),
            "item_names": _Column(catalogue.item_names, None),
            "item_kinds": _Column(catalogue.item_kinds, None),
            "available": _Column(catalogue.available, False),
            "created_at": _Column(catalogue.created_at, -1),
        }
        self._properties = {name: _Column(column, None) for name, column in catalogue.item_properties.items()}
        self._item_rows = _RowsById(catalogue.item_rows, len(catalogue.item_ids))
        self._entity_ids = _Column(catalogue.entity_ids, None)
        self._entity_names = _Column(catalogue.entity_names, None)
        self._entity_types = _Column(catalogue.entity_types, 0)
        self._entity_rows = _RowsById(catalogue.entity_rows, len(catalogue.entity_ids))
        self._knowledge: dict[int, set[Link]] = {}
        self._item_links: dict[int, set[Link]] = {}
        self._entity_links: dict[int, set[Link]] = {}

    @property
    def changed_rows(self) -> frozenset[int]:
        """Items of which anything may have changed."""
        columns = (*self._items.values(), *self._properties.values())
        return frozenset({*self._knowledge, *self._item_links}.union(*(column.changed_rows for column in columns)))

    @property
    def changes_links(self) -> bool:
        """Whether any relation may have come or gone."""
        return bool(self._knowledge or self._item_links or self._entity_links)

    def apply(self, record: CatalogueRecord) -> None:
        match record:
            case ItemPut():
                self._put_item(record)
            case ItemRetired():
                row = self._item_rows.get(record.item_id)
                if row is not None:
                    self._items["available"][row] = False
            case EntityPut():
                self._put_entity(record)
            case EntityDeleted():
                self._delete_entity(record)
            case RelationPut():
                self._relate(record.type, record.head_id, record.tail_id, present=True)
            case RelationDeleted():
                self._relate(record.type, record.head_id, record.tail_id, present=False)

    def ensure_item(self, item_id: str) -> int:
        """The item's row; an unknown item is made, with its id for a name."""
        row = self._item_rows.get(item_id)
        if row is None:
            row = self._item_rows.add(item_id)
            bare = {"item_ids": item_id, "item_names": item_id, "item_kinds": "item", "available": True}
            for name, value in bare.items():
                self._items[name][row] = value
        return row

    def ensure_entity(self, entity_id: str) -> int | None:
        """The entity's row; an unknown entity of a declared type is made, without a name."""
        row = self._entity_rows.get(entity_id)
        code = self._base.declaration.entity_code.get(entity_id.partition(":")[0])
        if row is not None or code is None:
            return row
        row = self._entity_rows.add(entity_id)
        self._entity_ids[row], self._entity_types[row] = entity_id, code
        return row

    def freeze(self) -> Catalogue:
        num_items, num_entities = self._item_rows.num_rows, self._entity_rows.num_rows
        properties = {name: column.freeze(num_items) for name, column in self._properties.items()}
        return replace(
            self._base,
            **{name: column.freeze(num_items) for name, column in self._items.items()},
            item_properties=MappingProxyType(properties),
            item_rows=self._item_rows.freeze(),
            entity_ids=self._entity_ids.freeze(num_entities),
            entity_names=self._entity_names.freeze(num_entities),
            entity_types=self._entity_types.freeze(num_entities),
            entity_rows=self._entity_rows.freeze(),
            knowledge=self._base.knowledge.replaced({row: list(links) for row, links in self._knowledge.items()}),
            item_links=self._base.item_links.replaced({row: list(links) for row, links in self._item_links.items()}),
            entity_links=self._base.entity_links.replaced(
                {row: list(links) for row, links in self._entity_links.items()}
            ),
        )

    def _put_item(self, record: ItemPut) -> None:
        row = self.ensure_item(record.item_id)
        values = (record.name, record.item_kind, record.available)
        for name, value in zip(("item_names", "item_kinds", "available"), values, strict=True):
            self._items[name][row] = value
        self._items["created_at"][row] = -1 if record.created_at is None else record.created_at
        for declared in self._base.declaration.item_properties:
            if declared.name not in self._properties:
                self._properties[declared.name] = _Column(object_column([None] * len(self._base)), None)
            self._properties[declared.name][row] = record.properties.get(declared.name)
        self._replace_outgoing(row, record.relations)

    def _replace_outgoing(self, row: int, relations: tuple[RelationEnd, ...]) -> None:
        """The item's own relations become exactly these; relations that entities declare towards it stay."""
        knowledge = self._links_of(row)
        knowledge -= {link for link in knowledge if self._base.relation(link[0]).head == "Item"}
        self._item_links[row] = set()
        for relation in relations:
            self._relate(relation.type, str(self._items["item_ids"][row]), relation.entity_id, present=True)

    def _put_entity(self, record: EntityPut) -> None:
        row = self.ensure_entity(record.entity_id)
        if row is not None:
            self._entity_names[row] = record.name

    def _delete_entity(self, record: EntityDeleted) -> None:
        entity_row = self._entity_rows.remove(record.entity_id)
        if entity_row is None:
            return
        changed = [row for row, links in self._knowledge.items() if any(other == entity_row for _, other in links)]
        for row in {*changed, *(item_row for _, item_row in self._base.knowledge.of_right(entity_row))}:
            links = self._links_of(row)
            links -= {link for link in links if link[1] == entity_row}

    def _relate(self, type_name: str, head_id: str, tail_id: str, *, present: bool) -> None:
        code = self._base.declaration.relation_code.get(type_name)
        if code is None:
            return
        relation = self._base.relation(code)
        item_id, entity_id = (tail_id, head_id) if relation.tail == "Item" else (head_id, tail_id)
        if relation.head == relation.tail == "Item":
            head, tail = self.ensure_item(head_id), self.ensure_item(tail_id)
            links = self._item_links.setdefault(head, set(self._base.item_links.of_left(head)))
            (links.add if present else links.discard)((code, tail))
        elif "Item" not in (relation.head, relation.tail):
            head, tail = self.ensure_entity(head_id), self.ensure_entity(tail_id)
            if head is not None and tail is not None:
                links = self._entity_links.setdefault(head, set(self._base.entity_links.of_left(head)))
                (links.add if present else links.discard)((code, tail))
        else:
            item_row, entity_row = self.ensure_item(item_id), self.ensure_entity(entity_id)
            if entity_row is not None:
                (self._links_of(item_row).add if present else self._links_of(item_row).discard)((code, entity_row))

    def _links_of(self, item_row: int) -> set[Link]:
        return self._knowledge.setdefault(item_row, set(self._base.knowledge.of_left(item_row)))
