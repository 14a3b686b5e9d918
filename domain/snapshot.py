"""The graph at one moment, as dense columns: what training and serving read instead of Neo4j.

Rows are 0-based and dense: user_row, item_row, entity_row index the id columns, which are sorted by id.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.declarations import Declaration
from domain.rules import StoredRule

Text = NDArray[np.object_]
Rows = NDArray[np.int32]
GONE = ""  # no id is empty: the row of a person who is gone is found by nobody


@dataclass(frozen=True)
class Relations:
    """Relationships of one type as rows. head_kind, tail_kind: "user", "item" or "entity"; heads, tails: (m,)."""

    type: str
    head_kind: str
    tail_kind: str
    heads: Rows
    tails: Rows
    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Interactions:
    """INTERACTED relationships, ordered by user row, then time, then item row. kinds: codes of declaration.event_kinds.

    user_rows, item_rows (m,) int32; kinds (m,) int16; values (m,) float32, NaN where absent; at (m,) int64 ms UTC.
    """

    user_rows: Rows
    item_rows: Rows
    kinds: NDArray[np.int16]
    values: NDArray[np.float32]
    at: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.user_rows)


@dataclass(frozen=True)
class Snapshot:
    """version: fingerprint of the content (knowledge and interactions). log_offset: records up to it are inside.

    epoch: names the bulk load that the graph held last; "" where it holds none. rules: those that there were.
    Items: item_names, item_kinds (Text), item_available (bool), item_created_at (int64 ms, -1 unknown).
    Entities: entity_names (None: unnamed), entity_types (codes of declaration.entity_types).
    Relations: the declared types in their order, then FOLLOWS and PREFERS where present.
    """

    version: str
    log_offset: int
    declaration: Declaration
    user_ids: Text
    item_ids: Text
    entity_ids: Text
    item_names: Text
    item_kinds: Text
    item_available: NDArray[np.bool_]
    item_created_at: NDArray[np.int64]
    entity_names: Text
    entity_types: NDArray[np.int16]
    interactions: Interactions
    relations: tuple[Relations, ...]
    user_properties: dict[str, Text] = field(default_factory=dict[str, Text])
    item_properties: dict[str, Text] = field(default_factory=dict[str, Text])
    epoch: str = ""
    rules: tuple[StoredRule, ...] = ()

    @cached_property
    def user_row(self) -> dict[str, int]:
        return {value: row for row, value in enumerate(self.user_ids)}

    @cached_property
    def item_row(self) -> dict[str, int]:
        return {value: row for row, value in enumerate(self.item_ids)}

    @cached_property
    def entity_row(self) -> dict[str, int]:
        return {value: row for row, value in enumerate(self.entity_ids)}


def without_people(snapshot: Snapshot, user_ids: Collection[str]) -> tuple[Snapshot, int]:
    """The snapshot without anything of these people, and how many events and relations went. Their rows stay, empty."""
    rows = [snapshot.user_row[user_id] for user_id in user_ids if user_id in snapshot.user_row]
    gone = np.zeros(len(snapshot.user_ids), np.bool_)
    gone[rows] = True
    events = snapshot.interactions
    kept = ~gone[events.user_rows]
    relations = tuple(_without_rows(relation, gone) for relation in snapshot.relations)
    emptied = replace(
        snapshot,
        user_ids=_emptied(snapshot.user_ids, rows, GONE),
        interactions=Interactions(
            events.user_rows[kept], events.item_rows[kept], events.kinds[kept], events.values[kept], events.at[kept]
        ),
        relations=relations,
        user_properties={name: _emptied(column, rows, None) for name, column in snapshot.user_properties.items()},
    )
    fewer = sum(len(old.heads) - len(new.heads) for old, new in zip(snapshot.relations, relations, strict=True))
    return emptied, int((~kept).sum()) + fewer


def _without_rows(relation: Relations, gone: NDArray[np.bool_]) -> Relations:
    kept = np.ones(len(relation.heads), np.bool_)
    for kind, ends in ((relation.head_kind, relation.heads), (relation.tail_kind, relation.tails)):
        if kind == "user":
            kept &= ~gone[ends]
    weights = relation.weights[kept] if len(relation.weights) else relation.weights
    return replace(relation, heads=relation.heads[kept], tails=relation.tails[kept], weights=weights)


def _emptied(column: Text, rows: Sequence[int], value: str | None) -> Text:
    emptied = column.copy()
    emptied[list(rows)] = value
    return emptied


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Writes one .npz file under a temporary name and renames it, so that a reader never sees half of it."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name in _TEXT:
        _put_text(arrays, name, getattr(snapshot, name))
    for name in _NUMBERS:
        arrays[name] = getattr(snapshot, name)
    for name in _EVENTS:
        arrays[f"interactions.{name}"] = getattr(snapshot.interactions, name)
    for place, relation in enumerate(snapshot.relations):
        for name in ("heads", "tails", "weights"):
            arrays[f"relations.{place}.{name}"] = getattr(relation, name)
    for owner, columns in (("user", snapshot.user_properties), ("item", snapshot.item_properties)):
        for name, column in columns.items():
            _put_json(arrays, f"{owner}_properties.{name}", column)
    head = _Head(
        version=snapshot.version,
        log_offset=snapshot.log_offset,
        declaration=snapshot.declaration,
        relations=tuple((relation.type, relation.head_kind, relation.tail_kind) for relation in snapshot.relations),
        user_properties=tuple(snapshot.user_properties),
        item_properties=tuple(snapshot.item_properties),
        epoch=snapshot.epoch,
        rules=snapshot.rules,
    )
    arrays["head"] = np.frombuffer(msgspec.json.encode(head), dtype=np.uint8)
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    temporary.replace(path)


def load_snapshot(path: Path) -> Snapshot:
    """The snapshot that save_snapshot wrote, equal in every column."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:  # np.load leaves a damaged file open
        arrays = {name: stored[name] for name in stored.files}
    head = msgspec.json.decode(arrays["head"].tobytes(), type=_Head)
    return Snapshot(
        version=head.version,
        log_offset=head.log_offset,
        declaration=head.declaration,
        epoch=head.epoch,
        rules=head.rules,
        interactions=Interactions(**{name: arrays[f"interactions.{name}"] for name in _EVENTS}),
        relations=tuple(
            Relations(*kinds, *(arrays[f"relations.{place}.{name}"] for name in ("heads", "tails", "weights")))
            for place, kinds in enumerate(head.relations)
        ),
        user_properties={name: _get_json(arrays, f"user_properties.{name}") for name in head.user_properties},
        item_properties={name: _get_json(arrays, f"item_properties.{name}") for name in head.item_properties},
        **{name: _get_text(arrays, name) for name in _TEXT},
        **{name: arrays[name] for name in _NUMBERS},
    )


def user_ids_in(path: Path) -> list[str]:
    """The users of a snapshot's file, which is not read beyond them."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return _get_text({name: stored[name] for name in ("user_ids.bytes", "user_ids.lengths")}, "user_ids").tolist()


class _Head(msgspec.Struct):
    version: str
    log_offset: int
    declaration: Declaration
    relations: tuple[tuple[str, str, str], ...]
    user_properties: tuple[str, ...]
    item_properties: tuple[str, ...]
    epoch: str = ""
    rules: tuple[StoredRule, ...] = ()


_TEXT = ("user_ids", "item_ids", "entity_ids", "item_names", "item_kinds", "entity_names")
_NUMBERS = ("item_available", "item_created_at", "entity_types")
_EVENTS = ("user_rows", "item_rows", "kinds", "values", "at")


def _put_text(arrays: dict[str, NDArray[np.generic]], name: str, column: Text) -> None:
    """Text as UTF-8 bytes and lengths (-1: None)."""
    encoded = [None if value is None else str(value).encode() for value in column]
    arrays[f"{name}.bytes"] = np.frombuffer(b"".join(part for part in encoded if part), dtype=np.uint8)
    arrays[f"{name}.lengths"] = np.array([-1 if part is None else len(part) for part in encoded], dtype=np.int32)


def _get_text(arrays: dict[str, NDArray[np.generic]], name: str) -> Text:
    blob = arrays[f"{name}.bytes"].tobytes()
    lengths = arrays[f"{name}.lengths"].astype(np.int64)
    ends = np.cumsum(np.maximum(lengths, 0))
    values = [
        None if length < 0 else blob[end - length : end].decode()
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]
    return object_column(values)


def _put_json(arrays: dict[str, NDArray[np.generic]], name: str, column: Text) -> None:
    arrays[name] = np.frombuffer(msgspec.json.encode(column.tolist()), dtype=np.uint8)


def _get_json(arrays: dict[str, NDArray[np.generic]], name: str) -> Text:
    return object_column(msgspec.json.decode(arrays[name].tobytes()))


def object_column(values: Sequence[object]) -> Text:
    """(n,) object array; a list inside stays a list."""
    column = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        column[row] = value
    return column
