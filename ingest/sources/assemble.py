"""From checked frames to a Dataset whose every id is in a node table.

Frames: users `id`; items `id, name, item_kind, available, created_at`; entities `id, name`; relations `head, tail`
(and `weight`); events `event_id, user_id, item_id, kind, value, at` (and `session_id`). Other columns of users and
items are properties.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from domain.declarations import Declaration, EntityType, RelationType
from domain.errors import InvalidSource
from domain.snapshot import object_column
from domain.tables import Column, Dataset, EventTable, NodeTable, RelationTable, Text

FOLLOWS = RelationType(
    type="FOLLOWS", head="User", tail="User", description="A user follows another.", same="person", phrase="following"
)


@dataclass
class Assembly:
    """Collects the parts of a data set. Entities and relations may come in several frames."""

    users: pl.DataFrame
    items: pl.DataFrame
    events: pl.DataFrame
    item_kind: str
    entities: dict[str, list[pl.DataFrame]] = field(default_factory=dict[str, list[pl.DataFrame]])
    relations: dict[str, list[pl.DataFrame]] = field(default_factory=dict[str, list[pl.DataFrame]])

    def describe(self, label: str, entities: pl.DataFrame) -> None:
        """Adds entities (`id`, `name`). Of several names of one id the first that is not null counts."""
        self.entities.setdefault(label, []).append(entities.select(pl.col("id", "name").cast(pl.String)))

    def relate(self, relation: RelationType, pairs: pl.DataFrame) -> None:
        """Adds relations (`head`, `tail`). Entities at the tail are made where they are missing, without a name."""
        columns = ["head", "tail", *(["weight"] if "weight" in pairs.columns else [])]
        self.relations.setdefault(relation.type, []).append(pairs.select(columns))
        if relation.tail not in ("User", "Item"):
            unnamed = pairs.select(id=pl.col("tail"), name=pl.lit(None, pl.String))
            self.describe(relation.tail, unnamed.unique("id", maintain_order=True))

    def dataset(self, name: str, declaration: Declaration) -> Dataset:
        """The whole data set. Users and items that only events name are added; items are then named by their id."""
        declaration.check()
        users = _with_missing(self.users, self.events["user_id"])
        items = _with_missing(self.items, self.events["item_id"]).with_columns(
            pl.col("name").fill_null(pl.col("id")),
            pl.col("item_kind").fill_null(self.item_kind),
            pl.col("available").fill_null(True),
        )
        dataset = Dataset(
            name=name,
            declaration=declaration,
            users=_nodes("User", users, [kept.name for kept in declaration.user_properties]),
            items=_nodes("Item", items, [*_ITEM, *(kept.name for kept in declaration.item_properties)]),
            entities=tuple(self._entity_tables(declaration.entity_types)),
            relations=tuple(self._relation_tables((*declaration.relation_types, FOLLOWS))),
            events=_event_table(self.events),
        )
        check_complete(dataset)
        return dataset

    def _entity_tables(self, types: Iterable[EntityType]) -> Iterable[NodeTable]:
        for kind in types:
            frames = [frame for frame in self.entities.get(kind.label, []) if len(frame)]
            if frames:
                named = pl.concat(frames).group_by("id", maintain_order=True).agg(pl.col("name").drop_nulls().first())
                yield _nodes(kind.label, named, ["name"])

    def _relation_tables(self, types: Iterable[RelationType]) -> Iterable[RelationTable]:
        for kind in types:
            frames = [frame for frame in self.relations.get(kind.type, []) if len(frame)]
            if frames:
                pairs = pl.concat(frames, how="diagonal").unique(["head", "tail"], keep="first", maintain_order=True)
                weights = pairs["weight"].cast(pl.Float32).to_numpy() if "weight" in pairs.columns else None
                yield RelationTable(
                    type=kind.type,
                    head_label=kind.head,
                    tail_label=kind.tail,
                    heads=shared_text(pairs["head"]),
                    tails=shared_text(pairs["tail"]),
                    weights=weights,
                )


_ITEM = ("name", "item_kind", "available", "created_at")


def empty_users() -> pl.DataFrame:
    return pl.DataFrame(schema={"id": pl.String})


def no_items() -> pl.DataFrame:
    return item_frame(empty_users(), "item")


def item_frame(frame: pl.DataFrame, item_kind: str) -> pl.DataFrame:
    """The frame with the columns every item has; those it lacks get their defaults."""
    defaults = {
        "name": pl.col("id"),
        "item_kind": pl.lit(item_kind),
        "available": pl.lit(True),
        "created_at": pl.lit(None, pl.Int64),
    }
    return frame.with_columns(**{name: value for name, value in defaults.items() if name not in frame.columns})


def entity_ids(label: str, column: str) -> pl.Expr:
    """The ids "Label:key" of the keys in a column."""
    return pl.concat_str(pl.lit(label + ":"), pl.col(column))


def shared_text(series: pl.Series) -> Text:
    """(n,) object array whose equal values are one object: a million ids cost what their distinct ones cost."""
    distinct = series.unique(maintain_order=True)
    codes = (
        series.rename("value")
        .to_frame()
        .join(
            pl.DataFrame({"value": distinct, "code": pl.int_range(len(distinct), eager=True)}),
            on="value",
            how="left",
            nulls_equal=True,
            maintain_order="left",
        )["code"]
    )
    return object_column(distinct.to_list())[codes.to_numpy()]


def check_complete(dataset: Dataset) -> None:
    """Raises: InvalidSource when an id comes twice, or a relation or event names an id that no table has."""
    tables = (dataset.users, dataset.items, *dataset.entities)
    known: dict[str, pl.Series] = {}
    for table in tables:
        ids = pl.Series(table.ids.tolist(), dtype=pl.String)
        if ids.n_unique() != len(ids):
            again = ids.filter(ids.is_duplicated())[0]
            raise InvalidSource(f"{dataset.name}: the {table.label} id {again!r} comes twice", field=table.label)
        known[table.label] = ids
    events = dataset.events
    ends = [("events", "User", events.user_ids), ("events", "Item", events.item_ids)]
    for relation in dataset.relations:
        ends.append((relation.type, relation.head_label, relation.heads))
        ends.append((relation.type, relation.tail_label, relation.tails))
    for what, label, ids in ends:
        named = pl.Series(ids.tolist(), dtype=pl.String).unique()
        unknown = named.filter(~named.is_in(known.get(label, pl.Series(dtype=pl.String)).implode()))
        if len(unknown):
            raise InvalidSource(f"{dataset.name}: {what} names the {label} {unknown[0]!r}, which no table has")


def _with_missing(nodes: pl.DataFrame, named: pl.Series) -> pl.DataFrame:
    missing = named.unique(maintain_order=True).rename("id").to_frame().join(nodes, on="id", how="anti")
    return pl.concat([nodes, missing], how="diagonal")


def _nodes(label: str, frame: pl.DataFrame, properties: Iterable[str]) -> NodeTable:
    return NodeTable(
        label=label,
        ids=object_column(frame["id"].to_list()),
        properties={name: _column(frame[name]) for name in properties if name in frame.columns},
    )


def _column(series: pl.Series) -> Column:
    if series.dtype.is_numeric() or series.dtype == pl.Boolean:
        return object_column(series.to_list()) if series.null_count() else series.to_numpy()
    return object_column(series.to_list())


def _event_table(events: pl.DataFrame) -> EventTable:
    return EventTable(
        event_ids=object_column(events["event_id"].to_list()),
        user_ids=shared_text(events["user_id"]),
        item_ids=shared_text(events["item_id"]),
        kinds=shared_text(events["kind"]),
        values=events["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        at=events["at"].cast(pl.Int64).to_numpy(),
        session_ids=shared_text(events["session_id"]) if "session_id" in events.columns else None,
    )


def no_events() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "event_id": pl.String,
            "user_id": pl.String,
            "item_id": pl.String,
            "kind": pl.String,
            "value": pl.Float64,
            "at": pl.Int64,
        }
    )
