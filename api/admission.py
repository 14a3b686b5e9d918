"""Which posted events are taken: each is judged by itself, and the rejected ones are kept as dead letters."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from api.documents import EventReceipt, RejectedEvent
from api.errors import encodable
from api.metrics import Metrics
from api.schemas import EventIn
from api.services import EventLimits, Services
from domain.declarations import Declaration
from domain.errors import AllRejected
from domain.records import Event
from ingest.log_contract import Letter

DAY_MS = 86_400_000
MESSAGES = {
    "event_id_conflict": "this event_id came before with other content",
    "erased_user": "this person was erased, and is not taken up again",
}


class NothingTaken(AllRejected):
    """Every event of a request was rejected; `rejected` says why, one by one."""

    def __init__(self, rejected: Sequence[RejectedEvent]) -> None:
        super().__init__(f"none of the {len(rejected)} events was taken; see `rejected`", field="events.0")
        self.rejected = [{"index": entry.index, "code": entry.code, "message": entry.message} for entry in rejected]


class _Refusal(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def admit(services: Services, metrics: Metrics, posted: Sequence[Any]) -> EventReceipt:
    """Appends the good events in one transaction, and buries the others.

    Raises: NothingTaken when there was no good one; what the log raises, and then nothing was taken.
    """
    batch = _sort(services, posted)
    verdicts = services.log.append([event for _, event in batch.events], server_timed=batch.server_timed)
    codes = [verdict.code for verdict in verdicts]
    refused = [
        RejectedEvent(index=index, code=code, message=MESSAGES[code])
        for (index, _), code in zip(batch.events, codes, strict=True)
        if code in MESSAGES
    ]
    rejected = sorted([*batch.rejected, *refused], key=lambda entry: entry.index)
    if rejected:
        services.log.bury(
            [Letter(payload=posted[entry.index], code=entry.code, message=entry.message) for entry in rejected]
        )
    accepted, duplicated = codes.count("accepted"), codes.count("duplicated")
    metrics.count_events(accepted=accepted, duplicated=duplicated, rejected=len(rejected))
    if len(rejected) == len(posted):
        raise NothingTaken(rejected)
    return EventReceipt(accepted=accepted, duplicated=duplicated, rejected=tuple(rejected))


@dataclass
class _Batch:
    """events: (place in the request, record). server_timed: places in `events` whose time the server made."""

    events: list[tuple[int, Event]] = field(default_factory=list[tuple[int, Event]])
    server_timed: list[int] = field(default_factory=list[int])
    rejected: list[RejectedEvent] = field(default_factory=list[RejectedEvent])


def _sort(services: Services, posted: Sequence[Any]) -> _Batch:
    """The well-formed events as records, and why the others are not."""
    services.world.catch_up()
    declaration, now_ms, batch = services.world.view().declaration, time.time_ns() // 1_000_000, _Batch()
    for index, payload in enumerate(posted):
        try:
            event = _parse(payload, declaration, services.event_limits, now_ms)
        except _Refusal as refusal:
            batch.rejected.append(RejectedEvent(index=index, code=refusal.code, message=refusal.message))
            continue
        if event.at is None:
            batch.server_timed.append(len(batch.events))
        batch.events.append((index, _record(event, now_ms)))
    return batch


def _parse(payload: Any, declaration: Declaration, limits: EventLimits, now_ms: int) -> EventIn:
    """Raises: _Refusal with the first thing that is wrong."""
    try:
        event = EventIn.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "event"
        code = first["type"] if first["type"] in ("invalid_id", "invalid_time") else "invalid_event"
        raise _Refusal(code, encodable(f"{place}: {first['msg']}", 300)) from error
    if event.kind not in declaration.event_code:
        known = ", ".join(declaration.event_code)
        raise _Refusal("unknown_kind", encodable(f"no kind {event.kind!r} is declared; declared: {known}", 500))
    if event.at is not None and event.at > now_ms + limits.max_ahead_s * 1000:
        raise _Refusal("future_time", f"at is more than {limits.max_ahead_s:g} s ahead of this server's clock")
    if event.at is not None and event.at < now_ms - limits.max_age_days * DAY_MS:
        raise _Refusal("ancient_time", f"at is more than {limits.max_age_days:g} days ago")
    return event


def _record(event: EventIn, now_ms: int) -> Event:
    return Event(
        event_id=event.event_id or uuid.uuid4().hex,
        user_id=event.user_id,
        item_id=event.item_id,
        kind=event.kind,
        at=now_ms if event.at is None else event.at,
        value=event.value,
        session_id=event.session_id,
        recommendation_id=event.recommendation_id,
        position=event.position,
    )
