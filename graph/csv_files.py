"""A data set as CSV files in the form that Neo4j's offline importer reads: one per label and relationship type."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from domain.progress import Progress
from domain.tables import Column, Dataset, EventTable, NodeTable, RelationTable
from graph.online import end_label

ARRAY_DELIMITER = "\x1f"  # the ASCII unit separator: no text of ours holds it
_TIME = "%Y-%m-%dT%H:%M:%S%.3fZ"


@dataclass(frozen=True)
class ImportFiles:
    """What the importer is given, and how many rows it has to make of it."""

    nodes: list[tuple[str, Path]]
    relationships: list[tuple[str, Path]]
    events: int
    relations: int


def write_files(dataset: Dataset, folder: Path, progress: Progress) -> ImportFiles:
    """Writes the files into an empty folder. Of equal event ids, and of equal pairs of a relation, the first stays."""
    degrees = _degrees(dataset.relations)
    nodes: list[tuple[str, Path]] = []
    relationships: list[tuple[str, Path]] = []
    events, relations = 0, 0
    tables = (dataset.users, dataset.items, *dataset.entities)
    with progress.step("Writing files to import", len(tables) + len(dataset.relations) + 1) as advance:
        for number, table in enumerate(tables):
            labels = table.label if table.label in ("User", "Item") else f"Entity:{table.label}"
            nodes.append((labels, _write(_node_frame(table, degrees), folder / f"nodes-{number}.csv")))
            advance(1)
        for number, relation in enumerate(dataset.relations):
            frame = _relation_frame(relation)
            relations += len(frame)
            relationships.append((relation.type, _write(frame, folder / f"relations-{number}.csv")))
            advance(1)
        frame = _event_frame(dataset.events)
        events = len(frame)
        relationships.append(("INTERACTED", _write(frame, folder / "events.csv")))
        advance(1)
    return ImportFiles(nodes, relationships, events, relations)


def _write(frame: pl.DataFrame, path: Path) -> Path:
    frame.write_csv(path, quote_style="necessary")  # null is nothing at all, the empty text is ""
    return path


def _node_frame(table: NodeTable, degrees: Counter[str]) -> pl.DataFrame:
    space = end_label(table.label)
    columns = [pl.Series(f"id:ID({space})", table.ids.tolist(), dtype=pl.String)]
    columns += [_typed(name, column) for name, column in table.properties.items()]
    if space == "Entity":
        columns.append(pl.Series("degree:long", [degrees[entity] for entity in table.ids.tolist()], dtype=pl.Int64))
    return pl.DataFrame(columns)


def _relation_frame(relation: RelationTable) -> pl.DataFrame:
    start, end = f":START_ID({end_label(relation.head_label)})", f":END_ID({end_label(relation.tail_label)})"
    columns = [pl.Series(start, relation.heads.tolist(), dtype=pl.String)]
    if relation.weights is not None:
        columns.append(pl.Series("weight:double", relation.weights.astype(np.float64)))
    columns.append(pl.Series(end, relation.tails.tolist(), dtype=pl.String))
    return pl.DataFrame(columns).unique(subset=[start, end], keep="first", maintain_order=True)


def _event_frame(events: EventTable) -> pl.DataFrame:
    columns = [
        pl.Series(":START_ID(User)", events.user_ids.tolist(), dtype=pl.String),
        pl.Series("event_id:string", events.event_ids.tolist(), dtype=pl.String),
        pl.Series("kind:string", events.kinds.tolist(), dtype=pl.String),
        pl.Series("value:double", events.values).fill_nan(None),
        _times("at", pl.Series("at", events.at)),
        pl.Series(":END_ID(Item)", events.item_ids.tolist(), dtype=pl.String),
    ]
    if events.session_ids is not None:
        columns.append(pl.Series("session_id:string", events.session_ids.tolist(), dtype=pl.String))
    return pl.DataFrame(columns).unique(subset=["event_id:string"], keep="first", maintain_order=True)


def _times(name: str, milliseconds: pl.Series) -> pl.Series:
    return milliseconds.cast(pl.Datetime("ms")).dt.strftime(_TIME).alias(f"{name}:datetime")


def _typed(name: str, column: Column) -> pl.Series:
    """The column under a header that names its type in Neo4j."""
    values = cast(list[object], column.tolist())
    kinds = {type(value) for value in values if value is not None}
    if name == "created_at":
        return _times(name, pl.Series(name, values, dtype=pl.Int64))
    if kinds == {bool}:
        return pl.Series(f"{name}:boolean", values, dtype=pl.Boolean)
    if kinds == {int}:
        return pl.Series(f"{name}:long", values, dtype=pl.Int64)
    if kinds and kinds <= {int, float}:
        return pl.Series(f"{name}:double", values, dtype=pl.Float64, strict=False).fill_nan(None)
    if kinds == {list}:
        return pl.Series(f"{name}:string[]", [_joined(value) for value in values], dtype=pl.String)
    texts = [None if value is None else str(value) for value in values]
    return pl.Series(f"{name}:string", texts, dtype=pl.String)


def _joined(value: object) -> str | None:
    return None if value is None else ARRAY_DELIMITER.join(str(part) for part in cast(list[object], value))


def _degrees(relations: tuple[RelationTable, ...]) -> Counter[str]:
    """How many relations each entity has, in and out."""
    return Counter(entity for relation in relations for entity in _entity_ends(relation))


def _entity_ends(relation: RelationTable) -> Iterator[str]:
    pairs = dict.fromkeys(zip(relation.heads.tolist(), relation.tails.tolist(), strict=True))
    for place, label in enumerate((relation.head_label, relation.tail_label)):
        if end_label(label) == "Entity":
            yield from (pair[place] for pair in pairs)
