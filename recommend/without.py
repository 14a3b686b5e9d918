"""An answer as if some edges were not there: events of the user, or entities through which items are linked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from domain.errors import InvalidRequest
from recommend.changes import hash_of
from recommend.ports import GraphReader
from recommend.subject import Deed, Subject
from recommend.world import View

STATEMENT = "explain/event_of_user"
TIMEOUT_S = 2.0
FIELD = "without"


@dataclass(frozen=True)
class _Event:
    """What tells one event of a user from the others."""

    item_row: int
    kind: str
    at: int


def without(view: View, subject: Subject, ids: Sequence[str], graph: GraphReader | None) -> Subject:
    """The subject as if these events had not been, and as if no item had these entities; tastes for them go too.

    ids: of entities, and of the user's events. Neo4j is asked which event of before the last snapshot an id names.
    Raises: InvalidRequest for an id that is neither; GraphUnavailable when Neo4j would have to be asked and is away.
    """
    entity_rows = {view.catalogue.entity_rows[one] for one in ids if one in view.catalogue.entity_rows}
    events = [_event(view, subject, one, graph) for one in ids if one not in view.catalogue.entity_rows]
    return replace(
        subject,
        deeds=without_events(subject.deeds, events),
        tastes=tuple(taste for taste in subject.tastes if taste.entity_row not in entity_rows),
        masked=frozenset(entity_rows),
    )


def without_items(subject: Subject, item_rows: frozenset[int]) -> Subject:
    """The subject as if the user had nothing to do with these items."""
    return replace(subject, deeds=tuple(deed for deed in subject.deeds if deed.item_row not in item_rows))


def without_events(deeds: Sequence[Deed], events: Sequence[_Event]) -> tuple[Deed, ...]:
    """The deeds without one deed for each of the events."""
    gone = list(events)
    kept: list[Deed] = []
    for deed in deeds:
        event = _Event(deed.item_row, deed.kind.name, deed.at)
        if event in gone:
            gone.remove(event)
        else:
            kept.append(deed)
    return tuple(kept)


def _event(view: View, subject: Subject, event_id: str, graph: GraphReader | None) -> _Event:
    record = subject.record
    if record is None:
        raise InvalidRequest(f"{event_id!r} is no entity, and only stored users have events with ids", field=FIELD)
    for event in record.events:
        row = view.catalogue.item_rows.get(event.item_id)
        if event.id_hash == hash_of(event_id) and row is not None:
            return _Event(row, event.kind, event.at)
    rows = (
        []
        if graph is None
        else graph.rows(STATEMENT, {"user_id": record.user_id, "event_id": event_id}, timeout_s=TIMEOUT_S)
    )
    for found in rows:
        row = view.catalogue.item_rows.get(cast(str, found["item_id"]))
        if row is not None:
            return _Event(row, cast(str, found["kind"]), cast(int, found["at"]))
    told = f"no entity {event_id!r}, and no event of the user {record.user_id!r} with that id"
    raise InvalidRequest(told, field=FIELD)
