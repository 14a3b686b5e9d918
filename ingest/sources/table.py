"""Any CSV, TSV, Parquet or JSON-lines files, by a mapping file (see ingest.mapping)."""

from collections.abc import Mapping as Columns
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from domain.declarations import RelationType
from domain.errors import InvalidSource
from domain.progress import Progress
from domain.tables import Dataset
from ingest.mapping import (
    Column,
    Entities,
    Events,
    FileOptions,
    Items,
    Mapping,
    Relations,
    Users,
    columns_of,
)
from ingest.mapping_declaration import declare
from ingest.mapping_file import read_mapping
from ingest.report import RejectedLog
from ingest.sources.assemble import FOLLOWS, Assembly, empty_users, item_frame, no_events, no_items
from ingest.sources.tabular import Wanted, read_table
from ingest.validate import LINE, Checks, shown, with_event_ids

DEFAULT_KEY = ("user_id", "item_id", "at", "session_id")


def read(path: Path, rejected: RejectedLog, progress: Progress) -> Dataset:
    """path: the mapping file; the files it names stand relative to it.

    Raises: InvalidMapping when the mapping is wrong; InvalidSource when a file is missing, unreadable, without a column
    that the mapping names, or without one usable row.
    """
    mapping = read_mapping(path)
    tables = Tables(mapping, path.parent, rejected)
    total = sum(map(len, (mapping.items, mapping.users, mapping.entities, mapping.events, mapping.relations)))
    with progress.step(f"reading {mapping.source.name}", total) as advance:
        items, users = no_items(), empty_users()
        for table in mapping.items:
            items = pl.concat([items, _items(table, tables, items["id"])], how="diagonal_relaxed")
            advance(1)
        for table in mapping.users:
            users = pl.concat([users, _users(table, tables, users["id"])], how="diagonal_relaxed")
            advance(1)
        events = no_events()
        for table in mapping.events:
            new = _events(table, tables, users["id"], items["id"], events["event_id"])
            events = pl.concat([events, new], how="diagonal_relaxed")
            advance(1)
        assembly = Assembly(users=users, items=items, events=events, item_kind="item")
        for table in mapping.entities:
            _describe(table, tables, assembly)
            advance(1)
        for table in mapping.relations:
            _relate(table, tables, assembly)
            advance(1)
    return assembly.dataset(mapping.source.name, declare(mapping))


@dataclass
class Tables:
    """The files of a mapping; each is read once, also when several tables name it."""

    mapping: Mapping
    folder: Path
    rejected: RejectedLog
    _frames: dict[FileOptions, pl.DataFrame] = field(default_factory=dict[FileOptions, pl.DataFrame])

    def open(self, table: FileOptions, columns: Columns[str, str | None]) -> tuple[pl.DataFrame, Checks]:
        """A frame of LINE and of the columns under the names given to them, without those that are None."""
        options = _file_options(table)
        if options not in self._frames:
            self._frames[options] = read_table(self.folder / table.file, options, self._wanted(options), self.rejected)
        names = {name: column for name, column in columns.items() if column is not None}
        frame = self._frames[options].select(LINE, **{name: pl.col(column) for name, column in names.items()})
        return frame, Checks(Path(table.file).name, self.rejected, names)

    def keep(self, table: FileOptions, frame: pl.DataFrame) -> pl.DataFrame:
        """The frame. Raises: InvalidSource when none of the file's rows is left."""
        rows = len(self._frames[_file_options(table)])
        if frame.is_empty() and rows:
            first = self.rejected.first.get(Path(table.file).name)
            why = f"; line {first.line}, {first.field}: {first.reason}" if first else ""
            raise InvalidSource(f"none of the {rows} rows of {table.file} can be used{why}", field=table.file)
        return frame

    def _wanted(self, options: FileOptions) -> Wanted:
        """All that the mapping's tables take from a file."""
        columns: list[str] = []
        ids: set[str] = set()
        lists: set[str] = set()
        mapping = self.mapping
        for table in (*mapping.items, *mapping.users, *mapping.entities, *mapping.relations, *mapping.events):
            if _file_options(table) == options:
                named = {name: column for name, column in _columns(table).items() if column is not None}
                columns += named.values()
                ids |= {column for name, column in named.items() if name in _ID_NAMES}
                lists |= _list_columns(table)
        return Wanted(tuple(dict.fromkeys(columns)), frozenset(ids), frozenset(lists))


_ID_NAMES = ("id", "user_id", "item_id", "event_id", "session_id", "head", "tail")


def _file_options(table: FileOptions) -> FileOptions:
    return FileOptions(file=table.file, format=table.format, delimiter=table.delimiter, encoding=table.encoding)


def _columns(table: FileOptions) -> dict[str, str | None]:
    """Our name of each column -> the file's name, None where the mapping names none."""
    match table:
        case Items():
            own = {"id": table.id, "name": table.name, "item_kind": table.kind_column, "available": table.available}
            return {**own, "created_at": table.created_at, **_property_columns(table.properties)}
        case Users():
            return {"id": table.id, **_property_columns(table.properties)}
        case Entities():
            return {"id": table.id, "name": table.name}
        case Relations():
            return {"head": table.head, "tail": table.tail, "weight": table.weight}
        case Events():
            own = {"user_id": table.user, "item_id": table.item, "at": table.at, "kind": table.kind_column}
            own |= {"value": table.value, "session_id": table.session, "event_id": table.event}
            return own | {f"key_{place}": column for place, column in enumerate(table.key)}
        case _:
            return {}


def _list_columns(table: FileOptions) -> set[str]:
    """The columns whose values may be lists: the tails of relations, and properties that are lists."""
    if isinstance(table, Relations):
        return {table.tail}
    if isinstance(table, Items | Users):
        return {column.column for column in columns_of(table.properties) if column.type == "list"}
    return set()


def _property_columns(properties: tuple[str | Column, ...]) -> dict[str, str]:
    return {column.property_name: column.column for column in columns_of(properties)}


def _items(table: Items, tables: Tables, known: pl.Series) -> pl.DataFrame:
    frame, checks = tables.open(table, _columns(table))
    frame = _new(checks.ids(frame, "id"), known, checks)
    if table.available:
        frame = checks.flags(frame, "available").with_columns(pl.col("available").fill_null(True))
    if table.created_at:
        zone = table.time_zone or tables.mapping.source.time_zone
        frame = checks.times(frame, "created_at", zone=zone, pattern=table.time_format, required=False)
    if table.name:
        frame = frame.with_columns(name=pl.coalesce(pl.col("name").cast(pl.String), "id"))
    kind = table.kind or "item"
    if table.kind_column:
        frame = frame.with_columns(pl.col("item_kind").cast(pl.String).fill_null(kind))
    frame = tables.keep(table, _typed(frame, table.properties, checks))
    return item_frame(frame.drop(LINE), kind)


def _users(table: Users, tables: Tables, known: pl.Series) -> pl.DataFrame:
    frame, checks = tables.open(table, _columns(table))
    frame = _new(checks.ids(frame, "id"), known, checks)
    return tables.keep(table, _typed(frame, table.properties, checks)).drop(LINE)


def _new(frame: pl.DataFrame, known: pl.Series, checks: Checks) -> pl.DataFrame:
    """The first row of each id; those of an earlier table are rejected as well."""
    frame = checks.first_of_each(frame, "id")
    again = pl.col("id").is_in(known.implode())
    return checks.drop(frame, again, field="id", reason=lambda value: f"{shown(value)} came before, in another file")


def _typed(frame: pl.DataFrame, properties: tuple[str | Column, ...], checks: Checks) -> pl.DataFrame:
    for column in columns_of(properties):
        name = column.property_name
        if column.type == "number":
            frame = checks.numbers(frame, name)
        elif column.type == "flag":
            frame = checks.flags(frame, name)
        elif column.type == "list":
            frame = frame.with_columns(_values(frame, name, column.separator))
        elif not isinstance(frame.schema[name], pl.List):
            frame = frame.with_columns(pl.col(name).cast(pl.String))
    return frame


def _values(frame: pl.DataFrame, column: str, separator: str | None) -> pl.Expr:
    """The column as lists of text without blanks around them."""
    value = pl.col(column)
    if not isinstance(frame.schema[column], pl.List):
        text = value.cast(pl.String)
        value = text.str.split(separator) if separator else pl.concat_list(text)
    return value.cast(pl.List(pl.String)).list.eval(pl.element().str.strip_chars())


def _events(table: Events, tables: Tables, users: pl.Series, items: pl.Series, known_events: pl.Series) -> pl.DataFrame:
    frame, checks = tables.open(table, _columns(table))
    frame = checks.ids(frame, "user_id", "item_id")
    if table.unknown_users == "reject":
        frame = checks.known(frame, "user_id", users, "user of a [[users]] table")
    if (table.unknown_items or ("reject" if tables.mapping.items else "create")) == "reject":
        frame = checks.known(frame, "item_id", items, "item of an [[items]] table")
    frame = _with_kinds(frame, table, tables.mapping, checks)
    zone = table.time_zone or tables.mapping.source.time_zone
    frame = checks.times(frame, "at", zone=zone, pattern=table.time_format)
    frame = checks.numbers(frame, "value") if table.value else frame.with_columns(value=pl.lit(None, pl.Float64))
    if table.session:
        without = frame.filter(pl.col("session_id").is_null()).with_columns(pl.col("session_id").cast(pl.String))
        frame = pl.concat([checks.ids(frame.drop_nulls("session_id"), "session_id"), without]).sort(LINE)
    if table.event:
        frame = checks.ids(frame, "event_id")
    else:
        key = [f"key_{place}" for place in range(len(table.key))] or [
            name for name in DEFAULT_KEY if name in frame.columns
        ]
        frame = with_event_ids(frame, tables.mapping.source.name, ["kind", *key])
    frame = checks.first_of_each(frame, "event_id")
    again = pl.col("event_id").is_in(known_events.implode())
    frame = checks.drop(frame, again, field="event_id", reason="the same event came before, in another file")
    columns = [name for name in (*no_events().columns, "session_id") if name in frame.columns]
    return tables.keep(table, frame).select(columns)


def _with_kinds(frame: pl.DataFrame, table: Events, mapping: Mapping, checks: Checks) -> pl.DataFrame:
    if table.kind is not None:
        return frame.with_columns(kind=pl.lit(table.kind))
    declared = [kind.name for kind in declare(mapping).event_kinds]
    mapped = pl.col("kind").cast(pl.String).replace(table.kind_map)
    bad = mapped.is_null() | ~mapped.is_in(declared)
    reason = f"no kind of event; there are {', '.join(declared)}"
    frame = checks.drop(frame, bad, field="kind", reason=lambda value: f"{shown(value)} is {reason}")
    return frame.with_columns(kind=mapped)


def _describe(table: Entities, tables: Tables, assembly: Assembly) -> None:
    frame, checks = tables.open(table, _columns(table))
    frame = checks.first_of_each(checks.entity_ids(frame, "id", table.label), "id")
    if "name" not in frame.columns:
        frame = frame.with_columns(name=pl.lit(None, pl.String))
    assembly.describe(table.label, tables.keep(table, frame))


def _relate(table: Relations, tables: Tables, assembly: Assembly) -> None:
    frame, checks = tables.open(table, _columns(table))
    frame = frame.with_columns(tail=_values(frame, "tail", table.separator)).explode("tail")
    frame = frame.filter(pl.col("tail").is_not_null() & (pl.col("tail") != "")).with_columns(value=pl.col("tail"))
    for column, label in (("head", table.head_label), ("tail", table.tail_label)):
        frame = _ends(frame, column, label, table, assembly, checks)
    if table.head_label == table.tail_label:
        itself = pl.col("head") == pl.col("tail")
        frame = checks.drop(frame, itself, field="tail", reason="it relates a thing to itself")
    if table.weight:
        frame = checks.numbers(frame, "weight")
    relation = FOLLOWS if table.type == FOLLOWS.type else _declared(table, tables.mapping)
    assembly.relate(relation, frame)
    if table.tail_label not in ("User", "Item"):
        assembly.describe(table.tail_label, frame.select(id="tail", name="value").unique("id", maintain_order=True))


def _ends(
    frame: pl.DataFrame, column: str, label: str, table: Relations, assembly: Assembly, checks: Checks
) -> pl.DataFrame:
    """One end of a relation as ids that exist or are made."""
    if label in ("User", "Item"):
        frame = checks.ids(frame, column)
        nodes, event_ids = (
            (assembly.users, assembly.events["user_id"])
            if label == "User"
            else (assembly.items, assembly.events["item_id"])
        )
        return checks.known(frame, column, pl.concat([nodes["id"], event_ids]).unique(), f"known {label.lower()}")
    frame = checks.entity_ids(frame, column, label)
    described = assembly.entities.get(label, [])
    if table.unknown == "reject":
        known = pl.concat([part["id"] for part in described]) if described else pl.Series(dtype=pl.String)
        return checks.known(frame, column, known, f"{label} of an [[entities]] table")
    if column == "head":
        assembly.describe(
            label, frame.select(id=column, name=pl.lit(None, pl.String)).unique("id", maintain_order=True)
        )
    return frame


def _declared(table: Relations, mapping: Mapping) -> RelationType:
    return next(kind for kind in declare(mapping).relation_types if kind.type == table.type)
