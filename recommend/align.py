"""A newer snapshot in the row order of the one a model was trained on, so that the model scores it as it is.

A bulk load puts new ids between the old ones, and new types before the old ones. Here trained users, items and
entities keep their rows, and types and kinds their codes; what is new comes after them, in the order of its ids.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.declarations import Declaration
from domain.snapshot import GONE, Interactions, Relations, Snapshot, Text, object_column

Type = TypeVar("Type")
Scalar = TypeVar("Scalar", bound=np.generic)
Codes = NDArray[np.int16]


def aligned(newer: Snapshot, trained: Snapshot) -> Snapshot:
    """`newer` with the rows and codes of `trained` first.

    Items that are gone stay as unavailable rows, entities as rows without relations, users as rows without an id.
    """
    users = _Rows.of(newer.user_ids, trained.user_ids)
    items = _Rows.of(newer.item_ids, trained.item_ids)
    entities = _Rows.of(newer.entity_ids, trained.entity_ids)
    declaration = _declaration(newer.declaration, trained.declaration)
    of_kind = {"user": users, "item": items, "entity": entities}
    return replace(
        newer,
        declaration=declaration,
        user_ids=users.column(newer.user_ids, object_column([GONE] * users.num_rows)),
        item_ids=items.column(newer.item_ids, items.ids(trained.item_ids)),
        entity_ids=entities.column(newer.entity_ids, entities.ids(trained.entity_ids)),
        item_names=items.column(newer.item_names, items.ids(trained.item_names)),
        item_kinds=items.column(newer.item_kinds, items.ids(trained.item_kinds)),
        item_available=items.column(newer.item_available, np.zeros(items.num_rows, np.bool_)),
        item_created_at=items.column(newer.item_created_at, np.full(items.num_rows, -1, np.int64)),
        entity_names=entities.column(newer.entity_names, entities.ids(trained.entity_names)),
        entity_types=_entity_types(newer, trained, entities, declaration),
        interactions=_interactions(newer, users, items, declaration),
        relations=_relations(newer, declaration, of_kind),
        user_properties={name: users.column(c, users.ids()) for name, c in newer.user_properties.items()},
        item_properties={name: items.column(c, items.ids()) for name, c in newer.item_properties.items()},
    )


@dataclass(frozen=True)
class _Rows:
    """places: (n,) the row of each of the newer snapshot's rows. num_rows: those of the trained one, and the new."""

    places: NDArray[np.int32]
    num_rows: int

    @classmethod
    def of(cls, newer: Text, trained: Text) -> "_Rows":
        known = {value: row for row, value in enumerate(trained.tolist()) if value != GONE}
        fresh = {value: place for place, value in enumerate(v for v in newer.tolist() if v not in known)}
        first = len(trained)
        rows = (known[value] if value in known else first + fresh[value] for value in newer.tolist())
        return cls(np.fromiter(rows, np.int32, len(newer)), first + len(fresh))

    def column(self, newer: NDArray[Scalar], otherwise: NDArray[Scalar]) -> NDArray[Scalar]:
        """The newer snapshot's column, and `otherwise` (num_rows,) in the rows that it does not have."""
        otherwise[self.places] = newer
        return otherwise

    def ids(self, trained: Text | None = None) -> Text:
        """(num_rows,) the trained snapshot's column, None below it."""
        column = object_column([None] * self.num_rows)
        if trained is not None:
            column[: len(trained)] = trained
        return column


def _declaration(newer: Declaration, trained: Declaration) -> Declaration:
    """The newer definitions in the order of the trained declaration; what only that one has stays."""
    return msgspec.structs.replace(
        newer,
        entity_types=_in_order(newer.entity_types, trained.entity_types, "label"),
        relation_types=_in_order(newer.relation_types, trained.relation_types, "type"),
        event_kinds=_in_order(newer.event_kinds, trained.event_kinds, "name"),
    )


def _in_order(newer: tuple[Type, ...], trained: tuple[Type, ...], key: str) -> tuple[Type, ...]:
    merged = {getattr(kind, key): kind for kind in trained}
    merged.update({getattr(kind, key): kind for kind in newer})
    return tuple(merged.values())


def _entity_types(newer: Snapshot, trained: Snapshot, entities: _Rows, declaration: Declaration) -> Codes:
    otherwise = np.zeros(entities.num_rows, np.int16)
    otherwise[: len(trained.entity_types)] = trained.entity_types  # codes of the trained declaration come first
    codes = [declaration.entity_code[kind.label] for kind in newer.declaration.entity_types]
    return entities.column(np.asarray(codes, np.int16)[newer.entity_types], otherwise)


def _interactions(newer: Snapshot, users: _Rows, items: _Rows, declaration: Declaration) -> Interactions:
    events = newer.interactions
    codes = np.asarray([declaration.event_code[kind.name] for kind in newer.declaration.event_kinds], np.int16)
    user_rows, item_rows = users.places[events.user_rows], items.places[events.item_rows]
    order = np.lexsort((item_rows, events.at, user_rows))
    return Interactions(
        user_rows[order], item_rows[order], codes[events.kinds][order], events.values[order], events.at[order]
    )


def _relations(newer: Snapshot, declaration: Declaration, rows: dict[str, _Rows]) -> tuple[Relations, ...]:
    """In the order of the declaration; types of Clew's own come last."""
    moved = [
        replace(
            relation,
            heads=rows[relation.head_kind].places[relation.heads],
            tails=rows[relation.tail_kind].places[relation.tails],
        )
        for relation in newer.relations
    ]
    last = len(declaration.relation_types)
    return tuple(sorted(moved, key=lambda relation: declaration.relation_code.get(relation.type, last)))
