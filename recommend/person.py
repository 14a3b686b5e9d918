"""Gathers everything that is held of a person, from the same stores that an erasure empties."""

from collections.abc import Collection, Iterator
from typing import Any, cast

from domain.declarations import OPT_OUT
from domain.errors import Gone, ServerError, UnknownUser
from domain.person import HeldEvent, HeldInGraph, HeldLetter, HeldRelation, PersonExport
from domain.records import Properties
from ingest.log_contract import DeadLetter
from ingest.log_erasure import held_of
from recommend.drafts import iso_time
from recommend.erasure import Eraser
from recommend.ports import GraphReader
from recommend.profile_view import profile_of
from recommend.profiles import UserRecord
from recommend.world import View

PAGE = 5_000  # relations of one answer of Neo4j
PAGE_S = 30.0


def export_person(stores: Eraser, user_id: str) -> PersonExport:
    """Everything of a person and of the visitors that they were. Raises: UnknownUser, Gone; LogError."""
    if stores.log.is_erased(user_id):
        raise Gone(f"{user_id!r} was erased; nothing is held of them", field="user_id")
    held = held_of(stores.log, user_id)
    stores.world.catch_up()
    view = stores.world.view()
    record = view.user(user_id)
    other = {store.name: tuple(store.export(held.people)) for store in stores.stores}
    if record is None and not held.records and not held.letters and not any(other.values()):
        raise UnknownUser(f"no user {user_id!r}; nothing is held of them", field="user_id")
    known = record or UserRecord(user_id)
    return PersonExport(
        user_id=user_id,
        exported_at=iso_time(stores.now_ms()),
        also=tuple(sorted(held.people - {user_id})),
        opt_out=known.is_opted_out,
        properties=cast(Properties, {name: value for name, value in known.properties.items() if name != OPT_OUT}),
        relations=known.relations,
        preferences=known.preferences,
        follows=view.followed(known),
        profile=None if record is None else profile_of(view, record),
        snapshot=tuple(_events(view, known)),
        log=held.records,
        dead_letters=tuple(_letter(letter) for letter in held.letters),
        graph=None if stores.graph is None else _in_graph(stores.graph, held.people),
        other={name: found for name, found in other.items() if found},
    )


def _events(view: View, record: UserRecord) -> Iterator[HeldEvent]:
    """The events of the snapshot, whose rows name no event ids."""
    kinds, items = view.declaration.event_kinds, view.catalogue.item_ids
    for row in record.rows:
        events = view.histories[row]
        for place in range(len(events)):
            value = float(events.values[place])
            yield HeldEvent(
                user_id=str(view.snapshot.user_ids[row]),
                item_id=items[int(events.item_rows[place])],
                kind=kinds[int(events.kinds[place])].name,
                at=iso_time(int(events.at[place])),
                value=None if value != value else value,  # NaN: none was given
            )


def _letter(letter: DeadLetter) -> HeldLetter:
    return HeldLetter(
        payload=letter.payload,
        code=letter.code,
        message=letter.message,
        buried_at=iso_time(letter.buried_at),
        waits_for=letter.waits_for,
    )


def _in_graph(graph: GraphReader, people: Collection[str]) -> HeldInGraph:
    nodes, relations = dict[str, dict[str, Any]](), list[HeldRelation]()
    try:
        for row in _rows(graph, people):
            user_id = str(row["user_id"])
            nodes[user_id] = cast(dict[str, Any], row["properties"])
            if row["type"] is not None:
                relations.append(_relation(user_id, row))
    except ServerError as error:
        return HeldInGraph(nodes=nodes, relations=tuple(relations), error=error.message)
    return HeldInGraph(nodes=nodes, relations=tuple(relations))


def _rows(graph: GraphReader, people: Collection[str]) -> Iterator[dict[str, object]]:
    skip = 0
    while True:
        parameters: dict[str, object] = {"ids": sorted(people), "skip": skip, "limit": PAGE}
        page = graph.rows("read/person", parameters, timeout_s=PAGE_S)
        yield from page
        skip += len(page)
        if len(page) < PAGE:
            return


def _relation(user_id: str, row: dict[str, object]) -> HeldRelation:
    return HeldRelation(
        user_id=user_id,
        type=str(row["type"]),
        label=cast("str | None", row["label"]),
        id=cast("str | None", row["other_id"]),
        properties=cast(dict[str, Any], row["relation"]),
    )
