"""Columns of a snapshot out of Neo4j, in pages that the server can hold in memory.

Rows come in any order and are sorted here, so that equal content gives equal columns.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from domain.declarations import OPT_OUT, Declaration, Property
from domain.progress import Progress
from domain.snapshot import Interactions, Relations, Snapshot, Text, object_column
from graph.apply import OWN_RELATIONS
from graph.driver import plain
from graph.online import end_label
from graph.rules import stored_rules
from graph.store import GraphStore

PAGE = 20_000  # nodes
EVENTS_PER_PAGE = 100_000  # aimed at; the number of users in a page follows
HEADS_PER_PAGE = 5_000
NO_LIMIT = 1_000_000_000
Values = list[list[object]]


class _Rows(dict[str, int]):
    """id -> row; -1 for ids that are not in the snapshot."""

    def __init__(self, ids: Text) -> None:
        super().__init__(zip(ids.tolist(), range(len(ids)), strict=True))

    def __missing__(self, key: str) -> int:
        return -1

    def of(self, ids: list[str]) -> NDArray[np.int32]:
        return np.fromiter(map(self.__getitem__, ids), dtype=np.int32, count=len(ids))


def export(store: GraphStore, declaration: Declaration, log_offset: int, progress: Progress) -> Snapshot:
    """Everything of declared types, but for what users did who opted out. Raises: what the store raises."""
    own = (*declaration.user_properties, Property(name=OPT_OUT, description=""))
    with progress.step("Reading nodes") as advance:
        users = _pages(store, "read/snapshot_users", _names(own))
        items = _pages(store, "read/snapshot_items", _names(declaration.item_properties))
        entities, entity_types = _declared_entities(_pages(store, "read/snapshot_entities"), declaration)
        advance(len(users) + len(items) + len(entities))
    user_ids, item_ids, entity_ids = (_column(table, 0) for table in (users, items, entities))
    rows = {"User": _Rows(user_ids), "Item": _Rows(item_ids), "Entity": _Rows(entity_ids)}
    with ThreadPoolExecutor(2) as pool:  # most of the time goes into waiting for the server, which has several threads
        interactions = pool.submit(_interactions, store, declaration, rows, progress)
        relations = pool.submit(_relations, store, declaration, rows, progress)
    snapshot = Snapshot(
        version="",
        log_offset=log_offset,
        declaration=declaration,
        user_ids=user_ids,
        item_ids=item_ids,
        entity_ids=entity_ids,
        item_names=object_column([row[2] if row[2] is not None else row[0] for row in items]),
        item_kinds=object_column([row[3] if row[3] is not None else "item" for row in items]),
        item_available=np.array([row[4] is not False for row in items], dtype=np.bool_),
        item_created_at=np.array([-1 if row[5] is None else row[5] for row in items], dtype=np.int64),
        entity_names=_column(entities, 2),
        entity_types=entity_types,
        interactions=interactions.result(),
        relations=relations.result(),
        user_properties=_properties(users, own),
        item_properties=_properties(items, declaration.item_properties),
        rules=stored_rules(store.rows("read/snapshot_rules", {"limit": NO_LIMIT}, timeout_s=600)),
    )
    snapshot = _without_opted_out(snapshot)
    return replace(snapshot, version=content_fingerprint(snapshot))


def _without_opted_out(snapshot: Snapshot) -> Snapshot:
    """Without the events of users who opted out; where nobody did, without the column that says so."""
    properties = dict(snapshot.user_properties)
    out = np.array([value is True for value in properties[OPT_OUT]], np.bool_)
    if not out.any():
        del properties[OPT_OUT]
        return replace(snapshot, user_properties=properties)
    events = snapshot.interactions
    kept = ~out[events.user_rows]
    rest = Interactions(
        events.user_rows[kept], events.item_rows[kept], events.kinds[kept], events.values[kept], events.at[kept]
    )
    return replace(snapshot, interactions=rest)


def content_fingerprint(snapshot: Snapshot) -> str:
    """Sixteen hexadecimal digits over declaration, knowledge and interactions; not over model output or offsets."""
    digest = sha256(snapshot.declaration.fingerprint.encode())

    def add(name: str, column: NDArray[np.generic]) -> None:
        digest.update(f"{name}:{len(column)};".encode())
        digest.update(msgspec.json.encode(column.tolist()) if column.dtype.kind == "O" else column.tobytes())

    for name in ("user_ids", "item_ids", "entity_ids", "item_names", "item_kinds", "item_available"):
        add(name, getattr(snapshot, name))
    for name in ("item_created_at", "entity_names", "entity_types"):
        add(name, getattr(snapshot, name))
    for name in ("user_rows", "item_rows", "kinds", "values", "at"):
        add(name, getattr(snapshot.interactions, name))
    for relation in snapshot.relations:
        for name in ("heads", "tails", "weights"):
            add(f"{relation.type}.{name}", getattr(relation, name))
    for columns in (snapshot.user_properties, snapshot.item_properties):
        for name, column in columns.items():
            add(name, column)
    return digest.hexdigest()[:16]


def _names(properties: Sequence[Property]) -> list[str]:
    return [kind.name for kind in properties]


def _pages(store: GraphStore, name: str, properties: list[str] | None = None) -> Values:
    """All nodes of a paged statement, sorted by id, their first value."""
    found: Values = []
    parameters: dict[str, object] = {"after": "", "limit": PAGE}
    if properties is not None:
        parameters["properties"] = properties
    page: Values = [[]] * PAGE
    while len(page) == PAGE:
        page = cast(Values, store.values(name, parameters)[0][0])
        found += page
        if page:
            parameters["after"] = page[-1][0]
    return sorted(found, key=lambda row: cast(str, row[0]))


def _declared_entities(entities: Values, declaration: Declaration) -> tuple[Values, NDArray[np.int16]]:
    """Entities with a declared label, and its code: of several, the one declared first."""
    codes = [_code(cast(list[str], row[1]), declaration) for row in entities]
    kept = [row for row, code in zip(entities, codes, strict=True) if code is not None]
    return kept, np.array([code for code in codes if code is not None], dtype=np.int16)


def _code(labels: list[str], declaration: Declaration) -> int | None:
    codes = [declaration.entity_code[label] for label in labels if label in declaration.entity_code]
    return min(codes, default=None)


def _column(table: Values, place: int) -> Text:
    return object_column([row[place] for row in table])


def _properties(table: Values, properties: Sequence[Property]) -> dict[str, Text]:
    """One column per declared property; times as ISO 8601 text."""
    return {
        kind.name: object_column([_as_json(cast(list[object], row[1])[number]) for row in table])
        for number, kind in enumerate(properties)
    }


def _as_json(value: object) -> object:
    value = plain(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _interactions(
    store: GraphStore, declaration: Declaration, rows: dict[str, _Rows], progress: Progress
) -> Interactions:
    parts: list[Interactions] = []
    users = list(rows["User"])
    start, size = 0, 200
    with progress.step("Reading interactions", len(users)) as advance:
        while start < len(users):
            chosen = users[start : start + size]
            page = store.values("read/snapshot_events", {"user_ids": chosen, "limit": NO_LIMIT})
            found = [_events_of(row, start, declaration, rows["Item"]) for row in cast(list[EventRow], page)]
            parts += [part for part in found if part is not None]
            advance(len(chosen))
            start += len(chosen)
            events = sum(len(cast(list[str], row[2])) for row in page)
            size = max(1, min(20_000, len(chosen) * EVENTS_PER_PAGE // max(events, 1)))
    return _ordered(parts)


EventRow = tuple[str, list[int], list[str], list[float], list[int]]  # kind, users in the page, item ids, values, times


def _events_of(row: EventRow, first_user: int, declaration: Declaration, items: _Rows) -> Interactions | None:
    """The events of one page and kind, as they come. None: the kind is not declared."""
    kind, users, item_ids, values, at = row
    code = declaration.event_code.get(kind)
    if code is None:
        return None
    return Interactions(
        user_rows=np.array(users, dtype=np.int32) + np.int32(first_user),
        item_rows=items.of(item_ids),
        kinds=np.full(len(item_ids), code, dtype=np.int16),
        values=np.array(values, dtype=np.float32),
        at=np.array(at, dtype=np.int64),
    )


def _ordered(parts: list[Interactions]) -> Interactions:
    """By user row, time and item row; equal ones by kind and value, so that the order is always the same."""
    none = np.empty(0)
    user_rows = np.concatenate([none.astype(np.int32), *(part.user_rows for part in parts)])
    item_rows = np.concatenate([none.astype(np.int32), *(part.item_rows for part in parts)])
    kinds = np.concatenate([none.astype(np.int16), *(part.kinds for part in parts)])
    values = np.concatenate([none.astype(np.float32), *(part.values for part in parts)])
    at = np.concatenate([none.astype(np.int64), *(part.at for part in parts)])
    order = np.lexsort((values, kinds, item_rows, at, user_rows))
    order = order[item_rows[order] >= 0]  # -1: an item that appeared while this was read
    return Interactions(user_rows[order], item_rows[order], kinds[order], values[order], at[order])


def _relations(
    store: GraphStore, declaration: Declaration, rows: dict[str, _Rows], progress: Progress
) -> tuple[Relations, ...]:
    ends = [(kind.type, kind.head, kind.tail) for kind in declaration.relation_types]
    with progress.step("Reading relations", len(ends) + len(OWN_RELATIONS)) as advance:
        found: list[Relations] = []
        for kind, head, tail in ends:
            found.append(_relation(store, kind, end_label(head), end_label(tail), rows))
            advance(1)
        for kind, (head, tail) in OWN_RELATIONS.items():
            relation = _relation(store, kind, head, tail, rows)
            if len(relation.heads):
                found.append(relation)
            advance(1)
    return tuple(found)


def _relation(store: GraphStore, kind: str, head: str, tail: str, rows: dict[str, _Rows]) -> Relations:
    """All relations of one type, by head row, then tail row."""
    heads = [np.empty(0, dtype=np.int32)]
    tails = [np.empty(0, dtype=np.int32)]
    weights = [np.empty(0, dtype=np.float32)]
    ids = list(rows[head])
    for start in range(0, len(ids), HEADS_PER_PAGE):
        parameters = {"head_ids": ids[start : start + HEADS_PER_PAGE], "limit": NO_LIMIT}
        page = store.values("read/snapshot_relations", parameters, type=kind, head=head, tail=tail)
        places, tail_ids, weight = cast(tuple[list[int], list[str], list[float]], page[0])
        heads.append(np.array(places, dtype=np.int32) + np.int32(start))
        tails.append(rows[tail].of(tail_ids))
        weights.append(np.array(weight, dtype=np.float32))
    head_rows, tail_rows, all_weights = np.concatenate(heads), np.concatenate(tails), np.concatenate(weights)
    order = np.lexsort((tail_rows, head_rows))
    order = order[tail_rows[order] >= 0]
    return Relations(kind, head.lower(), tail.lower(), head_rows[order], tail_rows[order], all_weights[order])
