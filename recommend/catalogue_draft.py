"""The next catalogue, while a batch of log records is applied to the present one."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from domain.records import EntityDeleted, EntityPut, ItemPut, ItemRetired, RelationDeleted, RelationEnd, RelationPut
from domain.snapshot import object_column
from recommend.catalogue import Catalogue
from recommend.links import Link

CatalogueRecord = ItemPut | ItemRetired | EntityPut | EntityDeleted | RelationPut | RelationDeleted


class CatalogueDraft:
    """Collects changes in plain lists; `freeze` makes them a catalogue. touched: item rows with new relations.

    Items and entities that a record names and nobody has made are made bare, as the graph's writer does. Relations and
    entities of undeclared types are left out: the API refuses them before the log.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._base = catalogue
        self._items = {
            "item_ids": catalogue.item_ids.tolist(),
            "item_names": catalogue.item_names.tolist(),
            "item_kinds": catalogue.item_kinds.tolist(),
            "available": catalogue.available.tolist(),
            "created_at": catalogue.created_at.tolist(),
        }
        self._properties = {name: column.tolist() for name, column in catalogue.item_properties.items()}
        self._item_rows = dict(catalogue.item_rows)
        self._entity_ids: list[str] = catalogue.entity_ids.tolist()
        self._entity_names: list[str | None] = catalogue.entity_names.tolist()
        self._entity_types: list[int] = catalogue.entity_types.tolist()
        self._entity_rows = dict(catalogue.entity_rows)
        self._knowledge: dict[int, set[Link]] = {}
        self._item_links: dict[int, set[Link]] = {}
        self._deleted_entities: set[int] = set()

    @property
    def touched(self) -> frozenset[int]:
        return frozenset(self._knowledge)

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
            row = self._item_rows[item_id] = len(self._items["item_ids"])
            for column in (*self._items.values(), *self._properties.values()):
                column.append(None)
            bare = {"item_ids": item_id, "item_names": item_id, "item_kinds": "item", "available": True}
            for name, value in {**bare, "created_at": -1}.items():
                self._items[name][row] = value
        return row

    def ensure_entity(self, entity_id: str) -> int | None:
        """The entity's row; an unknown entity of a declared type is made, without a name."""
        if entity_id not in self._entity_rows:
            code = self._base.declaration.entity_code.get(entity_id.partition(":")[0])
            if code is None:
                return None
            self._entity_rows[entity_id] = len(self._entity_ids)
            self._entity_ids.append(entity_id)
            self._entity_names.append(None)
            self._entity_types.append(code)
        return self._entity_rows[entity_id]

    def freeze(self) -> Catalogue:
        item_ids, names, kinds = (object_column(self._items[name]) for name in ("item_ids", "item_names", "item_kinds"))
        return replace(
            self._base,
            item_ids=item_ids,
            item_names=names,
            item_kinds=kinds,
            available=np.array(self._items["available"], dtype=np.bool_),
            created_at=np.array(self._items["created_at"], dtype=np.int64),
            item_properties=MappingProxyType({name: object_column(c) for name, c in self._properties.items()}),
            item_rows=MappingProxyType(self._item_rows),
            entity_ids=object_column(self._entity_ids),
            entity_names=object_column(self._entity_names),
            entity_types=np.array(self._entity_types, dtype=np.int16),
            entity_rows=MappingProxyType(self._entity_rows),
            knowledge=self._base.knowledge.replaced({row: list(links) for row, links in self._knowledge.items()}),
            item_links=self._base.item_links.replaced({row: list(links) for row, links in self._item_links.items()}),
        )

    def _put_item(self, record: ItemPut) -> None:
        row = self.ensure_item(record.item_id)
        values = (record.name, record.item_kind, record.available)
        for name, value in zip(("item_names", "item_kinds", "available"), values, strict=True):
            self._items[name][row] = value
        self._items["created_at"][row] = -1 if record.created_at is None else record.created_at
        for declared in self._base.declaration.item_properties:
            column = self._properties.setdefault(declared.name, [None] * len(self._items["item_ids"]))
            column[row] = record.properties.get(declared.name)
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
        entity_row = self._entity_rows.pop(record.entity_id, None)
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
        elif "Item" in (relation.head, relation.tail):
            item_row, entity_row = self.ensure_item(item_id), self.ensure_entity(entity_id)
            if entity_row is not None:
                (self._links_of(item_row).add if present else self._links_of(item_row).discard)((code, entity_row))

    def _links_of(self, item_row: int) -> set[Link]:
        return self._knowledge.setdefault(item_row, set(self._base.knowledge.of_left(item_row)))
