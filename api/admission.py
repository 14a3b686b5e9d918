"""Which posted events are taken: each is judged by itself; rejected ones are kept as dead letters, held ones wait."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import ValidationError

from api.bursts import Bursts
from api.documents import EventReceipt, RejectedEvent
from api.errors import encodable
from api.metrics import Metrics
from api.posted import Posted, Unreadable, event_of
from api.schemas import EventIn
from api.services import EventLimits, Services
from api.types import iso
from domain.errors import AllRejected, Backlog, InvalidId
from domain.records import Event
from ingest.log_contract import Letter
from recommend.world import View

DAY_MS = 86_400_000
HELD = {"item": "held_for_item", "user": "held_for_user"}
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


@dataclass(frozen=True)
class Held:
    """An event that waits. is_timed: whether its time was sent with it."""

    event: Event
    waits_for: str
    is_timed: bool


@dataclass
class Sorted:
    """The events of a request, each in one of three places; the int is its index there.

    server_timed: places in `events` whose time the server made.
    """

    events: list[tuple[int, Event]] = field(default_factory=list[tuple[int, Event]])
    server_timed: list[int] = field(default_factory=list[int])
    rejected: list[RejectedEvent] = field(default_factory=list[RejectedEvent])
    held: list[Held] = field(default_factory=list[Held])

    def reject(self, index: int, code: str, message: str) -> None:
        self.rejected.append(RejectedEvent(index=index, code=code, message=message))


class Admission:
    """The door to the log, one a process. Raises (any method): what the log raises, and then nothing was taken."""

    def __init__(self, services: Services, metrics: Metrics) -> None:
        self._services = services
        self._limits = services.event_limits
        self._metrics = metrics
        self._bursts = Bursts(self._limits.burst_per_minute)

    def post(self, posted: Posted) -> EventReceipt:
        """Appends the good events in one transaction, puts the others aside.

        Raises: NothingTaken when every one was rejected; Backlog when no more may be held.
        """
        found = self._sort(posted, self._bursts.is_over)
        if found.held:
            self._require_room()
        accepted, duplicated = self._append(found)
        rejected = sorted(found.rejected, key=lambda entry: entry.index)
        self._put_aside(
            [Letter(payload=_kept(posted.raw[one.index]), code=one.code, message=one.message) for one in rejected]
            + self._waiting(found)
        )
        self._metrics.count_events(accepted=accepted, duplicated=duplicated, held=len(found.held))
        self._metrics.count_rejected([entry.code for entry in rejected])
        if rejected and not (accepted or duplicated or found.held):
            raise NothingTaken(rejected)
        return EventReceipt(accepted=accepted, duplicated=duplicated, held=len(found.held), rejected=tuple(rejected))

    def post_again(self, payloads: Sequence[Any], came_at: Sequence[int]) -> list[RejectedEvent | None]:
        """Takes events that were put aside before. For each: None when it is in the log or waits, else why not.

        came_at: milliseconds, the server's time of each, which counts for one without a time of its own.
        What is rejected is not put aside once more: it lies there already.
        """
        found = self._sort(Posted(msgspec.json.encode(payloads), lines=False), _never, came_at)
        self._append(found)
        self._put_aside(self._waiting(found))
        why = {entry.index: entry for entry in found.rejected}
        return [why.get(index) for index in range(len(payloads))]

    def release_due(self) -> int:
        """Takes the held events whose item or user is there by now, whichever way it came. Returns how many left."""
        awaited = self._services.log.awaited()
        self._services.world.catch_up()
        view = self._services.world.view()
        return sum(self.release(waits_for) for waits_for in sorted(awaited) if self._is_due(view, waits_for))

    def release(self, waits_for: str) -> int:
        """Takes the events that were held for an item or a user that is there now. Returns how many left.

        One that is rejected by now becomes a rejected letter. Done by several processes at once it is done once.
        """
        letters = self._services.log.dead(self._limits.max_held, waits_for=waits_for)[::-1]
        for start in range(0, len(letters), 1000):
            piece = letters[start : start + 1000]
            verdicts = self.post_again([one.payload for one in piece], [one.buried_at for one in piece])
            self._services.log.bury(
                [
                    Letter(payload=letter.payload, code=why.code, message=why.message)
                    for letter, why in zip(piece, verdicts, strict=True)
                    if why is not None
                ]
            )
            self._services.log.unbury([letter.number for letter in piece])
        self._metrics.count_released(len(letters))
        return len(letters)

    def _is_due(self, view: View, waits_for: str) -> bool:
        """Whether what is waited for is there, or need not be there any more."""
        policies = {"item": self._limits.unknown_items, "user": self._limits.unknown_users}
        return policies[waits_for.partition(":")[0]] == "create" or _is_there(view, waits_for)

    def _append(self, found: Sorted) -> tuple[int, int]:
        """Writes the events. Returns how many were (accepted, duplicated); those refused become rejected."""
        verdicts = self._services.log.append([event for _, event in found.events], server_timed=found.server_timed)
        codes = [verdict.code for verdict in verdicts]
        accepted, duplicated = codes.count("accepted"), codes.count("duplicated")
        if accepted + duplicated < len(codes):
            for (index, _), code in zip(found.events, codes, strict=True):
                if code in MESSAGES:
                    found.reject(index, code, MESSAGES[code])
        return accepted, duplicated

    def _require_room(self) -> None:
        """Raises: Backlog when as many events are held as may be."""
        counts = self._services.log.dead_counts()
        if sum(counts.get(code, 0) for code in HELD.values()) >= self._limits.max_held:
            raise Backlog(
                "too many events wait for items or users that are not there; make those, or see `clew events`"
            )

    def _waiting(self, found: Sorted) -> list[Letter]:
        """The held events as letters."""
        return [
            Letter(
                payload=_as_posted(held),
                code=HELD[held.waits_for.partition(":")[0]],
                message=f"waits for {held.waits_for}",
                waits_for=held.waits_for,
            )
            for held in found.held
        ]

    def _put_aside(self, letters: list[Letter]) -> None:
        if not letters:
            return
        self._services.log.bury(letters)
        self._services.world.catch_up()
        for waits_for in {letter.waits_for for letter in letters if letter.waits_for is not None}:
            if self._is_due(self._services.world.view(), waits_for):  # it came while this was being put aside
                self.release(waits_for)

    def _sort(self, posted: Posted, is_burst: Callable[[str], bool], came_at: Sequence[int] | None = None) -> Sorted:
        limits, now_ms, found = self._limits, time.time_ns() // 1_000_000, Sorted()
        if limits.unknown_items != "create" or limits.unknown_users != "create":
            self._services.world.catch_up()
        judge = _Judge(self._services.world.view(), limits, now_ms, is_burst)
        many = posted.raw if posted.read is None else posted.read
        read: Callable[[Any, int], tuple[Event, bool]] = _explained if posted.read is None else event_of
        for index, one in enumerate(many):
            try:
                event, is_timed = read(one, now_ms if came_at is None else came_at[index])
                waits_for = judge.missing(event)
            except _Refusal as refusal:
                found.reject(index, refusal.code, refusal.message)
            except InvalidId as error:
                found.reject(index, error.code, encodable(error.message, 300))
            else:
                if waits_for is not None:
                    found.held.append(Held(event, waits_for, is_timed))
                    continue
                if not is_timed:
                    found.server_timed.append(len(found.events))
                found.events.append((index, event))
        return found


class _Judge:
    """What is asked of every event that could be read."""

    def __init__(self, view: View, limits: EventLimits, now_ms: int, is_burst: Callable[[str], bool]) -> None:
        self._view = view
        self._limits = limits
        self._kinds = view.declaration.event_code
        self._newest_ms = now_ms + limits.max_ahead_s * 1000
        self._oldest_ms = now_ms - limits.max_age_days * DAY_MS
        self._is_burst = is_burst

    def missing(self, event: Event) -> str | None:
        """What the event has to wait for; None: nothing. Raises: _Refusal with the first thing that is wrong."""
        if event.kind not in self._kinds:
            known = ", ".join(self._kinds)
            raise _Refusal("unknown_kind", encodable(f"no kind {event.kind!r} is declared; declared: {known}", 500))
        if event.at > self._newest_ms:
            raise _Refusal(
                "future_time", f"at is more than {self._limits.max_ahead_s:g} s ahead of this server's clock"
            )
        if event.at < self._oldest_ms:
            raise _Refusal("ancient_time", f"at is more than {self._limits.max_age_days:g} days ago")
        if self._is_burst(event.user_id):
            raise _Refusal("burst", f"more than {self._limits.burst_per_minute} events of this user in a minute")
        return self._unknown("item", event.item_id, self._limits.unknown_items) or self._unknown(
            "user", event.user_id, self._limits.unknown_users
        )

    def _unknown(self, what: str, node_id: str, policy: str) -> str | None:
        if policy == "create" or _is_there(self._view, f"{what}:{node_id}"):
            return None
        if policy == "hold":
            return f"{what}:{node_id}"
        raise _Refusal(f"unknown_{what}", encodable(f"no {what} {node_id!r}; PUT /v1/{what}s/ makes one", 400))


def _explained(payload: Any, now_ms: int) -> tuple[Event, bool]:
    """As api.posted.event_of, by the slow way that says what is wrong. Raises: _Refusal."""
    if isinstance(payload, Unreadable):
        raise _Refusal("invalid_json", encodable(payload.why, 300))
    try:
        event = EventIn.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "event"
        code = first["type"] if first["type"] in ("invalid_id", "invalid_time") else "invalid_event"
        raise _Refusal(code, encodable(f"{place}: {first['msg']}", 300)) from error
    record = Event(
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
    return record, event.at is not None


def _as_posted(held: Held) -> dict[str, object]:
    """The event as one would post it. A time that the server made is left out: the letter has it."""
    event = held.event
    fields: dict[str, object] = {name: getattr(event, name) for name in event.__struct_fields__ if name != "at"}
    sent = {name: value for name, value in fields.items() if value is not None}
    return sent | {"at": iso(event.at)} if held.is_timed else sent


def _kept(payload: Any) -> object:
    return payload.line if isinstance(payload, Unreadable) else payload


def _is_there(view: View, name: str) -> bool:
    """name: "item:ID" or "user:ID"."""
    what, _, node_id = name.partition(":")
    return node_id in view.catalogue.item_rows if what == "item" else view.user(node_id) is not None


def _never(_user_id: str) -> bool:
    return False
