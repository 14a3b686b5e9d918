"""What is known of items and entities: the snapshot's columns and the log's changes. A change makes a new catalogue.

Rows are the snapshot's, then new items and entities in the order of the log. A row never changes its meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from domain.declarations import Declaration, RelationType
from domain.records import ItemPut, Properties, RelationEnd, Scalar
from domain.snapshot import Snapshot, Text
from recommend.links import Links

ITEM_FIELDS = ("id", "name", "item_kind", "available", "created_at")


@dataclass(frozen=True)
class Catalogue:
    """Items: (I,) columns. created_at: ms UTC, −1 unknown. Entities: (E,) columns; types: codes of the declaration.

    item_rows, entity_rows: id -> row (deleted entities are not there). knowledge: item row - entity row links, also
    of relations that run from the entity. item_links: item row - item row, in the relation's own direction;
    entity_links: entity row - entity row.
    """

    declaration: Declaration
    item_ids: Text
    item_names: Text
    item_kinds: Text
    available: NDArray[np.bool_]
    created_at: NDArray[np.int64]
    item_properties: Mapping[str, Text]
    item_rows: Mapping[str, int]
    entity_ids: Text
    entity_names: Text
    entity_types: NDArray[np.int16]
    entity_rows: Mapping[str, int]
    knowledge: Links
    item_links: Links
    entity_links: Links

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Catalogue":
        knowledge: list[tuple[int, NDArray[np.int32], NDArray[np.int32]]] = []
        item_links: list[tuple[int, NDArray[np.int32], NDArray[np.int32]]] = []
        entity_links: list[tuple[int, NDArray[np.int32], NDArray[np.int32]]] = []
        for relation in snapshot.relations:
            code = snapshot.declaration.relation_code.get(relation.type)
            ends = (relation.head_kind, relation.tail_kind)
            if code is None:
                continue
            if ends == ("item", "entity"):
                knowledge.append((code, relation.heads, relation.tails))
            elif ends == ("entity", "item"):
                knowledge.append((code, relation.tails, relation.heads))
            elif ends == ("item", "item"):
                item_links.append((code, relation.heads, relation.tails))
            elif ends == ("entity", "entity"):
                entity_links.append((code, relation.heads, relation.tails))
        num_items, num_entities = len(snapshot.item_ids), len(snapshot.entity_ids)
        return cls(
            declaration=snapshot.declaration,
            item_ids=snapshot.item_ids,
            item_names=snapshot.item_names,
            item_kinds=snapshot.item_kinds,
            available=snapshot.item_available,
            created_at=snapshot.item_created_at,
            item_properties=MappingProxyType(snapshot.item_properties),
            item_rows=MappingProxyType(snapshot.item_row),
            entity_ids=snapshot.entity_ids,
            entity_names=snapshot.entity_names,
            entity_types=snapshot.entity_types,
            entity_rows=MappingProxyType(snapshot.entity_row),
            knowledge=Links.of(knowledge, num_items, num_entities),
            item_links=Links.of(item_links, num_items, num_items),
            entity_links=Links.of(entity_links, num_entities, num_entities),
        )

    def __len__(self) -> int:
        return len(self.item_ids)

    @cached_property
    def field_names(self) -> frozenset[str]:
        """What a filter may name."""
        sensitive = {declared.name for declared in self.declaration.item_properties if declared.sensitive}
        return frozenset((*ITEM_FIELDS, *self.item_properties)) - sensitive

    def field(self, item_row: int, name: str) -> object:
        """The value of a field of an item; None where absent."""
        if name == "created_at":
            created_at = int(self.created_at[item_row])
            return None if created_at < 0 else created_at
        if name == "available":
            return bool(self.available[item_row])
        columns = {"id": self.item_ids, "name": self.item_names, "item_kind": self.item_kinds}
        return columns.get(name, self.item_properties.get(name, self.item_ids))[item_row]

    def name_of(self, item_id: str) -> str | None:
        """What an item is called; None for one that is not there."""
        row = self.item_rows.get(item_id)
        return None if row is None else self.item_names[row]

    def relation(self, code: int) -> RelationType:
        return self.declaration.relation_types[code]

    def label(self, entity_row: int) -> str:
        return self.declaration.entity_types[self.entity_types[entity_row]].label

    def degree(self, entity_row: int) -> int:
        """How many items are linked with an entity: what is rare says more."""
        return self.knowledge.count_right(entity_row)

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """(E,) the degree of every entity."""
        return self.knowledge.counts_right(len(self.entity_ids))

    def is_sensitive(self, entity_row: int) -> bool:
        """Whether the entity's type is declared sensitive: kept, never scored or shown as a reason."""
        return self.declaration.entity_types[self.entity_types[entity_row]].sensitive

    def has_changed(self, item_row: int) -> bool:
        """Whether an item's relations were written since the snapshot."""
        return item_row in self.knowledge.changed_left

    def still_holds(self, item_row: int, code: int, entity_row: int) -> bool:
        """Whether an item that had this relation when it was trained, or came later, has it now."""
        changed = self.knowledge.changed_left.get(item_row)
        return changed is None or (code, entity_row) in changed

    def may_show(self, code: int, entity_row: int) -> bool:
        """Whether nothing about a relation to an entity is sensitive."""
        return not (self.relation(code).sensitive or self.is_sensitive(entity_row))

    def properties_of(self, item_row: int) -> Properties:
        """The declared properties that an item has."""
        values = {name: column[item_row] for name, column in self.item_properties.items()}
        return {name: _plain(value) for name, value in values.items() if value is not None}

    def relations_of(self, item_row: int) -> tuple[RelationEnd, ...]:
        """All relations that start at an item."""
        outgoing = [
            RelationEnd(type=self.relation(code).type, entity_id=self.entity_ids[row])
            for code, row in self.knowledge.of_left(item_row)
            if self.relation(code).head == "Item"
        ]
        return (
            *outgoing,
            *(
                RelationEnd(type=self.relation(code).type, entity_id=self.item_ids[row])
                for code, row in self.item_links.of_left(item_row)
            ),
        )

    def as_put(self, item_row: int) -> ItemPut:
        """The record that would make this item as it is."""
        created_at = int(self.created_at[item_row])
        return ItemPut(
            item_id=self.item_ids[item_row],
            name=self.item_names[item_row],
            item_kind=self.item_kinds[item_row],
            available=bool(self.available[item_row]),
            created_at=None if created_at < 0 else created_at,
            properties=self.properties_of(item_row),
            relations=self.relations_of(item_row),
        )


def _plain(value: object) -> Scalar | list[str]:
    if isinstance(value, np.generic):
        return value.item()
    return value  # pyright: ignore[reportReturnType] - snapshot columns hold scalars and lists of text
