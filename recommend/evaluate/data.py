"""What a bench works on: the files as one snapshot whose events are the training part only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.dataset_snapshot import fingerprint
from domain.declarations import Declaration, EntityType, EventKind
from domain.snapshot import Interactions, Snapshot, Text, object_column
from recommend.evaluate.files import Part
from recommend.evaluate.knowledge import THING, Knowledge, knowledge_of, no_knowledge

Phase = Literal["test", "valid"]
Users = NDArray[np.int64]
PLAIN = EventKind(name="take", verb="took", description="A row of the training file.", repeat="count")


@dataclass(frozen=True)
class BenchData:
    """train: every user and item of all files, with the events of the training file.

    valid (U, I): ones at the pairs of the validation file; None without one. target_rows (n,): the users to make lists
    for, in the file's order. left_out (U, I): pairs that no list may hold.
    """

    train: Snapshot
    valid: sp.csr_array | None
    target_rows: Users
    left_out: sp.csr_array


def bench_data(
    train: Part,
    valid: Part | None,
    test: Part | None,
    *,
    triples: pl.DataFrame | None = None,
    links: pl.DataFrame | None = None,
    phase: Phase = "test",
) -> BenchData:
    """Of the test part only the ids are used: which users want lists, and which items there are."""
    parts = [part for part in (train, valid, test) if part is not None]
    user_ids = _ids([part.named_users for part in parts])
    item_ids = _ids([part.items for part in parts])
    rows = {"user": _lookup(user_ids), "item": _lookup(item_ids)}
    item_row = dict(zip(item_ids.to_list(), range(len(item_ids)), strict=True))
    known = no_knowledge() if triples is None else knowledge_of(triples, links, item_row)
    snapshot = _snapshot(user_ids, item_ids, _interactions(train, rows), known)
    shape = (len(user_ids), len(item_ids))
    held = None if valid is None else _ones(valid, rows, shape)
    left_out = _ones(train, rows, shape)
    if phase == "test" and held is not None:
        left_out = sp.csr_array((left_out + held) > 0)
    target = test if phase == "test" else valid
    named = pl.Series(user_ids) if target is None else target.named_users
    return BenchData(snapshot, held, _rows(named, rows["user"]).astype(np.int64), left_out)


def of_events(snapshot: Snapshot, kept: NDArray[np.bool_]) -> Snapshot:
    """The same users, items and graph with these (m,) of its events."""
    events = snapshot.interactions
    part = Interactions(
        events.user_rows[kept], events.item_rows[kept], events.kinds[kept], events.values[kept], events.at[kept]
    )
    return replace(snapshot, interactions=part)


def with_kind(snapshot: Snapshot, kind: EventKind) -> Snapshot:
    """The same events, weighed by the rules of this kind."""
    declaration = snapshot.declaration
    changed = Declaration(
        name=declaration.name,
        entity_types=declaration.entity_types,
        relation_types=declaration.relation_types,
        event_kinds=(kind,),
    )
    return replace(snapshot, declaration=changed)


def shape_of(snapshot: Snapshot) -> tuple[int, int]:
    """(U, I)"""
    return len(snapshot.user_ids), len(snapshot.item_ids)


def pair_matrix(rows: NDArray[np.integer], columns: NDArray[np.integer], shape: tuple[int, int]) -> sp.csr_array:
    """(U, I) float32 ones at these pairs, each once."""
    matrix = sp.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


def _ids(columns: Sequence[pl.Series]) -> pl.Series:
    return pl.concat([column.rename("id") for column in columns]).unique().sort()


def _lookup(ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"id": ids, "row": pl.int_range(len(ids), eager=True, dtype=pl.Int32)})


def _rows(ids: pl.Series, lookup: pl.DataFrame) -> NDArray[np.int32]:
    named = ids.rename("id").to_frame()
    return named.join(lookup, on="id", how="left", maintain_order="left")["row"].to_numpy().astype(np.int32)


def _ones(part: Part, rows: dict[str, pl.DataFrame], shape: tuple[int, int]) -> sp.csr_array:
    return pair_matrix(_rows(part.users, rows["user"]), _rows(part.items, rows["item"]), shape)


def _interactions(train: Part, rows: dict[str, pl.DataFrame]) -> Interactions:
    users, items = _rows(train.users, rows["user"]), _rows(train.items, rows["item"])
    at = np.zeros(len(train), np.int64) if train.at is None else train.at.to_numpy().astype(np.int64)
    values = np.full(len(train), np.nan) if train.ratings is None else train.ratings.to_numpy()
    order = np.lexsort((items, at, users))
    kinds = np.zeros(len(train), np.int16)
    return Interactions(users[order], items[order], kinds, values[order].astype(np.float32), at[order])


def _snapshot(user_ids: pl.Series, item_ids: pl.Series, events: Interactions, known: Knowledge) -> Snapshot:
    items = object_column(item_ids.to_list())
    entity_types: tuple[EntityType, ...] = (THING,) if len(known.entity_ids) else ()
    snapshot = Snapshot(
        version="",
        log_offset=0,
        declaration=Declaration(
            name="bench", entity_types=entity_types, relation_types=known.relation_types, event_kinds=(PLAIN,)
        ),
        user_ids=object_column(user_ids.to_list()),
        item_ids=items,
        entity_ids=known.entity_ids,
        item_names=items,
        item_kinds=object_column(["item"] * len(items)),
        item_available=np.ones(len(items), np.bool_),
        item_created_at=np.full(len(items), -1, np.int64),
        entity_names=_nameless(len(known.entity_ids)),
        entity_types=np.zeros(len(known.entity_ids), np.int16),
        interactions=events,
        relations=known.relations,
    )
    return replace(snapshot, version=fingerprint(snapshot))


def _nameless(count: int) -> Text:
    return object_column([None] * count)
