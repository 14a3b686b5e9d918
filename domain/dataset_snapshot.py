"""The snapshot of a data set, made without a graph: for experiments, and what the graph's own must be equal to."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from domain.declarations import Property
from domain.snapshot import Interactions, Relations, Rows, Snapshot, Text, object_column
from domain.tables import Dataset, NodeTable, RelationTable

TEXT_COLUMNS = ("user_ids", "item_ids", "entity_ids", "item_names", "item_kinds", "entity_names")
EVENT_COLUMNS = ("user_rows", "item_rows", "kinds", "values", "at")


def snapshot_of(dataset: Dataset) -> Snapshot:
    """The snapshot that a graph holding exactly this data set would give. Relations are ordered by head, then tail."""
    declaration = dataset.declaration
    users, items = dataset.users, dataset.items
    user_order, item_order = _order(users.ids), _order(items.ids)
    entity_ids = np.concatenate([table.ids for table in dataset.entities] or [object_column([])])
    entity_order = _order(entity_ids)
    codes = [np.full(len(table.ids), declaration.entity_code[table.label], np.int16) for table in dataset.entities]
    names = [table.properties.get("name", object_column([None] * len(table.ids))) for table in dataset.entities]
    rows = {
        "user": {value: row for row, value in enumerate(users.ids[user_order])},
        "item": {value: row for row, value in enumerate(items.ids[item_order])},
        "entity": {value: row for row, value in enumerate(entity_ids[entity_order])},
    }
    interactions = _interactions_of(dataset, rows["user"], rows["item"])
    relations = tuple(_relations_of(dataset, rows))
    columns = {name: column[item_order] for name, column in items.properties.items()}
    created_at = columns.get("created_at", object_column([None] * len(items.ids)))
    snapshot = Snapshot(
        version="",
        log_offset=0,
        declaration=declaration,
        user_ids=users.ids[user_order],
        item_ids=items.ids[item_order],
        entity_ids=entity_ids[entity_order],
        item_names=_text(columns["name"]),
        item_kinds=_text(columns["item_kind"]),
        item_available=np.asarray(columns.get("available", np.ones(len(items.ids))), dtype=np.bool_),
        item_created_at=np.array([-1 if value is None else value for value in created_at.tolist()], dtype=np.int64),
        entity_names=_text(np.concatenate([_text(part) for part in names] or [object_column([])])[entity_order]),
        entity_types=np.concatenate(codes or [np.empty(0, np.int16)])[entity_order],
        interactions=interactions,
        relations=relations,
        user_properties=_declared(users, declaration.user_properties, user_order),
        item_properties=_declared(items, declaration.item_properties, item_order),
    )
    return replace(snapshot, version=fingerprint(snapshot))


def fingerprint(snapshot: Snapshot) -> str:
    """Sixteen hexadecimal digits that change with the knowledge or the interactions, not with version or offset."""
    digest = hashlib.sha256(snapshot.declaration.fingerprint.encode())
    for name in TEXT_COLUMNS:
        digest.update(
            "\x1f".join("\x1e" if value is None else str(value) for value in getattr(snapshot, name)).encode()
        )
    for array in (snapshot.item_available, snapshot.item_created_at, snapshot.entity_types):
        digest.update(np.ascontiguousarray(array).tobytes())
    for name in EVENT_COLUMNS:
        digest.update(np.ascontiguousarray(getattr(snapshot.interactions, name)).tobytes())
    for relation in snapshot.relations:
        digest.update(relation.type.encode())
        for array in (relation.heads, relation.tails, relation.weights):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _order(ids: Text) -> NDArray[np.int64]:
    return np.array(sorted(range(len(ids)), key=ids.tolist().__getitem__), dtype=np.int64)


def _text(column: NDArray[np.generic]) -> Text:
    return object_column(column.tolist())


def _declared(table: NodeTable, properties: Sequence[Property], order: NDArray[np.int64]) -> dict[str, Text]:
    columns = {kind.name: table.properties[kind.name] for kind in properties if kind.name in table.properties}
    return {name: _text(column[order]) for name, column in columns.items()}


def _lookup(rows: dict[str, int], ids: Text) -> Rows:
    return np.array([rows[value] for value in ids.tolist()], dtype=np.int32)


def _interactions_of(dataset: Dataset, user_row: dict[str, int], item_row: dict[str, int]) -> Interactions:
    events = dataset.events
    users, items = _lookup(user_row, events.user_ids), _lookup(item_row, events.item_ids)
    code = dataset.declaration.event_code
    kinds = np.array([code[kind] for kind in events.kinds.tolist()], dtype=np.int16)
    order = np.lexsort((kinds, items, events.at, users))
    values = events.values.astype(np.float32)
    return Interactions(users[order], items[order], kinds[order], values[order], events.at.astype(np.int64)[order])


def _relations_of(dataset: Dataset, rows: dict[str, dict[str, int]]) -> list[Relations]:
    declared = [(kind.type, kind.head, kind.tail) for kind in dataset.declaration.relation_types]
    present = {table.type for table in dataset.relations}
    people = [("FOLLOWS", "User", "User"), ("PREFERS", "User", "Entity")]
    relations: list[Relations] = []
    for kind, head, tail in declared + [row for row in people if row[0] in present]:
        ends = (_node_kind(head), _node_kind(tail))
        tables = [table for table in dataset.relations if table.type == kind]
        heads = np.concatenate([_lookup(rows[ends[0]], table.heads) for table in tables] or [np.empty(0, np.int32)])
        tails = np.concatenate([_lookup(rows[ends[1]], table.tails) for table in tables] or [np.empty(0, np.int32)])
        weights = np.concatenate([_weights(table) for table in tables] or [np.empty(0, np.float32)])
        order = np.lexsort((tails, heads))
        relations.append(Relations(kind, *ends, heads[order], tails[order], weights[order]))
    return relations


def _weights(table: RelationTable) -> NDArray[np.float32]:
    return np.ones(len(table.heads), np.float32) if table.weights is None else table.weights.astype(np.float32)


def _node_kind(label: str) -> str:
    return {"User": "user", "Item": "item"}.get(label, "entity")
