"""Columns of a data set as what Neo4j takes: lists and maps of plain values."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.tables import Column, Dataset, NodeTable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def as_datetime(milliseconds: int) -> datetime:
    """Aware UTC time, exact to the millisecond."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def slices(length: int, size: int) -> Iterator[slice]:
    """Slices of `size` that cover 0 to length."""
    return (slice(start, min(start + size, length)) for start in range(0, length, size))


def plain_list(column: Column) -> list[object]:
    """A column as a list; NaN as None."""
    if column.dtype.kind == "f":
        return [None if value != value else value for value in column.tolist()]
    return column.tolist()


def node_rows(table: NodeTable, part: slice) -> list[dict[str, object]]:
    """One map per node with `id` and `properties`. created_at becomes a time."""
    names = list(table.properties)
    columns = [plain_list(table.properties[name][part]) for name in names]
    if "created_at" in names:
        place = names.index("created_at")
        columns[place] = [as_datetime(value) if isinstance(value, int) else None for value in columns[place]]
    ids = table.ids[part].tolist()
    return [
        {"id": node_id, "properties": dict(zip(names, values, strict=True))}
        for node_id, values in zip(ids, zip(*columns, strict=True) if columns else [()] * len(ids), strict=True)
    ]


def fingerprint(dataset: Dataset) -> str:
    """Sixteen hexadecimal digits that change with any row, name or type of the data set."""
    digest = sha256(dataset.declaration.fingerprint.encode())

    def add(name: str, column: NDArray[np.generic] | None) -> None:
        if column is not None:
            digest.update(f"{name}:{column.dtype.kind}:{len(column)};".encode())
            digest.update(msgspec.json.encode(column.tolist()) if column.dtype.kind == "O" else column.tobytes())

    def add_all(owner: str, columns: Mapping[str, NDArray[np.generic]]) -> None:
        for name, column in sorted(columns.items()):
            add(f"{owner}.{name}", column)

    for table in (dataset.users, dataset.items, *dataset.entities):
        add(table.label, table.ids)
        add_all(table.label, table.properties)
    for relation in dataset.relations:
        add(f"{relation.type}.{relation.head_label}.{relation.tail_label}", relation.heads)
        add("tails", relation.tails)
        add("weights", relation.weights)
    events = dataset.events
    for name in ("event_ids", "user_ids", "item_ids", "kinds", "values", "at", "session_ids"):
        add(name, getattr(events, name))
    return digest.hexdigest()[:16]
