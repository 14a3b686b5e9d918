"""For whom a list is made: a user's own events, a visitor's session, stated tastes, and the item being looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isnan

from domain.declarations import Declaration, EventKind
from domain.errors import InvalidRequest, UnknownEntity, UnknownItem
from domain.records import RelationEnd
from embeddings.weighting import DAY_MS
from recommend.history import UserEvents
from recommend.popularity import event_weight, is_positive
from recommend.profiles import UserRecord
from recommend.request import RecommendRequest, SessionEvent
from recommend.world import View

FADE_DAYS = 7  # before the user's newest event; older impressions are forgotten
PAUSE_MS = 1_800_000  # a longer pause ends a visit
BYTES_PER_DEED = 200


@dataclass(frozen=True, slots=True)
class Deed:
    """One event, as a path or a text names it. source: "snapshot", "log", "session", "pick" or "context".

    A pick is an item of a session that came without a kind; context is the item being looked at.
    """

    item_row: int
    kind: EventKind
    value: float | None
    at: int
    source: str

    @property
    def is_kept(self) -> bool:
        """Whether it is an event of the graph, and not only of this request."""
        return self.source in ("snapshot", "log")


@dataclass(frozen=True)
class Taste:
    """A stated taste. source: "snapshot", "log" or "request" (where it is no edge of the graph)."""

    entity_row: int
    weight: float
    source: str


@dataclass(frozen=True)
class Subject:
    """record: None for visitors and unknown users. deeds: oldest first. missing: session items that do not exist.

    faded: item row -> what its score is multiplied with, for items that were shown of late and not taken.
    masked: entity rows that are to count for nothing.
    """

    user_id: str | None
    record: UserRecord | None
    deeds: tuple[Deed, ...]
    tastes: tuple[Taste, ...]
    declaration: Declaration
    missing: tuple[str, ...] = ()
    faded: Mapping[int, float] = field(default_factory=dict[int, float])
    masked: frozenset[int] = frozenset()

    @property
    def is_opted_out(self) -> bool:
        return self.record is not None and self.record.is_opted_out

    @cached_property
    def events(self) -> UserEvents:
        """What the scorer weighs."""
        code = self.declaration.event_code
        return UserEvents.of([(deed.item_row, code[deed.kind.name], deed.value, deed.at) for deed in self.deeds])

    @cached_property
    def has_liked(self) -> bool:
        """Whether any event counts for its item, the newest of a kind where that is the rule."""
        return any(is_positive(deed.kind, deed.value) for deed in self.witnesses.values())

    @cached_property
    def session_rows(self) -> tuple[int, ...]:
        """Items of the visit that the newest event belongs to, newest first: pauses in it are at most half an hour."""
        rows: list[int] = []
        later: int | None = None
        for deed in reversed(self.deeds):
            if later is not None and later - deed.at > PAUSE_MS:
                break
            later = deed.at
            rows.append(deed.item_row)
        return tuple(dict.fromkeys(rows))

    @cached_property
    def seen(self) -> frozenset[int]:
        """Item rows with an event that does not speak against the item, and the item being looked at."""
        return frozenset(deed.item_row for deed in self.deeds if deed.kind.weight >= 0)

    def hidden(self, now_ms: int) -> frozenset[int]:
        """Item rows that a negative event keeps out of lists for now."""
        return frozenset(
            deed.item_row
            for deed in self.deeds
            if deed.kind.weight < 0 and deed.at + deed.kind.hides_days * DAY_MS > now_ms
        )

    @cached_property
    def witnesses(self) -> dict[int, Deed]:
        """item row -> the event that a path shows: the one that says most for the item, kept ones first, then newer.

        Of events of one kind that count by the newest, only the newest is asked.
        """
        asked: dict[tuple[int, str, int], Deed] = {}
        for place, deed in enumerate(self.deeds):
            asked[deed.item_row, deed.kind.name, 0 if deed.kind.repeat == "newest" else place] = deed
        chosen: dict[int, Deed] = {}
        for deed in sorted(asked.values(), key=_time):
            before = chosen.get(deed.item_row)
            if before is None or _strength(deed) >= _strength(before):
                chosen[deed.item_row] = deed
        return chosen


@dataclass(frozen=True)
class History:
    """deeds: oldest first, without impressions. faded: as in a Subject. num_items: of the catalogue that it needs."""

    deeds: tuple[Deed, ...]
    faded: Mapping[int, float]
    num_items: int


def subject_of(view: View, request: RecommendRequest, now_ms: int) -> Subject:
    """Raises: UnknownEntity for a taste, UnknownItem for a context item, InvalidRequest for an undeclared kind."""
    record = view.user(request.user_id) if request.user_id is not None else None
    if record is not None and record.is_opted_out:
        return known_subject(view, record)
    history = _history(view, record) if record else _sorted_out(_of_session(view, request.session or (), now_ms))
    deeds = list(history.deeds)
    missing = [e.item_id for e in request.session or () if e.item_id not in view.catalogue.item_rows]
    if request.context_item_id is not None:
        row = view.catalogue.item_rows.get(request.context_item_id)
        if row is None:
            raise UnknownItem(f"no item {request.context_item_id!r} to start from", field="context_item_id")
        kind, value = strongest_kind(view.declaration)
        deeds.append(Deed(row, kind, value, max([now_ms, *(deed.at for deed in deeds)]), "context"))
    tastes = _stated(view, request) if request.preferences else tastes_of(view, record)
    unique = tuple(dict.fromkeys(missing))
    return Subject(request.user_id, record, tuple(deeds), tastes, view.declaration, unique, history.faded)


def known_subject(view: View, record: UserRecord) -> Subject:
    """A stored user as they are; of one who opted out, nothing but that."""
    if record.is_opted_out:
        return Subject(record.user_id, record, (), (), view.declaration)
    history = _history(view, record)
    tastes = tastes_of(view, record)
    return Subject(record.user_id, record, history.deeds, tastes, view.declaration, faded=history.faded)


def _history(view: View, record: UserRecord) -> History:
    """A user's events and faded items, from the last time that somebody asked where nothing has changed since."""
    kept: History | None = view.profiles.features(record)
    if kept is not None and kept.num_items <= len(view.catalogue):
        return kept
    deeds = _deeds_of(view, record)
    history = _sorted_out(deeds)
    if len(deeds) == sum(len(view.histories[row]) for row in record.rows) + len(record.events):  # none left out
        view.profiles.keep(record, history, BYTES_PER_DEED * len(deeds))
    return history


def _deeds_of(view: View, record: UserRecord) -> list[Deed]:
    """A user's events oldest first: the snapshot's, then the log's. Those of items that do not exist are left out."""
    kinds = view.declaration.event_kinds
    deeds: list[Deed] = []
    for user_row in record.rows:
        source = "snapshot" if user_row == record.user_row else "log"  # Neo4j may not know of the merge yet
        events = view.histories[user_row]
        columns = (events.item_rows, events.kinds, events.values, events.at)
        for item_row, code, value, at in zip(*(column.tolist() for column in columns), strict=True):
            deeds.append(Deed(item_row, kinds[code], None if isnan(value) else value, at, source))
    for event in record.events:
        row, code = view.catalogue.item_rows.get(event.item_id), view.declaration.event_code.get(event.kind)
        if row is not None and code is not None:
            deeds.append(Deed(row, kinds[code], event.value, event.at, "log"))
    return sorted(deeds, key=_time) if record.events or record.merged_rows else deeds


def _sorted_out(deeds: Sequence[Deed]) -> History:
    """Deeds without the impressions, and what those of the last days do to items that were not taken since."""
    num_items = max((deed.item_row for deed in deeds), default=-1) + 1
    if not any(deed.kind.is_impression for deed in deeds):
        return History(tuple(deeds), {}, num_items)
    newest = max(deed.at for deed in deeds)
    faded: dict[int, float] = {}
    for deed in deeds:
        if not deed.kind.is_impression:
            faded.pop(deed.item_row, None)
        elif deed.at >= newest - FADE_DAYS * DAY_MS:
            faded[deed.item_row] = faded.get(deed.item_row, 1.0) * deed.kind.fades
    return History(tuple(deed for deed in deeds if not deed.kind.is_impression), faded, num_items)


def tastes_of(view: View, record: UserRecord | None) -> tuple[Taste, ...]:
    """The PREFERS edges of a user. Those that the snapshot does not hold came with the log."""
    if record is None:
        return ()
    before = view.profiles.original(record).preferences
    return _tastes(view, record.preferences, lambda end: "snapshot" if end in before else "log")


def strongest_kind(declaration: Declaration) -> tuple[EventKind, float | None]:
    """The kind that says most for an item, and its best value: how an item named without a kind is weighed."""

    def best(kind: EventKind) -> float:
        return kind.weight * max((factor for _, factor in kind.steps), default=1.0)

    kind = max(declaration.event_kinds, key=lambda one: (best(one), not one.steps))
    return kind, max((least for least, _ in kind.steps), default=None)


def _of_session(view: View, events: Sequence[SessionEvent], now_ms: int) -> list[Deed]:
    deeds: list[Deed] = []
    for place, event in enumerate(events):
        row = view.catalogue.item_rows.get(event.item_id)
        kind, value = strongest_kind(view.declaration)
        if event.kind is not None:
            code = view.declaration.event_code.get(event.kind)
            if code is None:
                raise InvalidRequest(f"no event kind {event.kind!r} is declared", field="session")
            kind, value = view.declaration.event_kinds[code], event.value
        if row is not None:
            at = now_ms - len(events) + place if event.at is None else event.at
            deeds.append(Deed(row, kind, value, at, "pick" if event.kind is None else "session"))
    return sorted(deeds, key=_time)


def _stated(view: View, request: RecommendRequest) -> tuple[Taste, ...]:
    ends = [RelationEnd(type="PREFERS", entity_id=p.entity_id, weight=p.weight) for p in request.preferences or ()]
    for end in ends:
        if end.entity_id not in view.catalogue.entity_rows:
            raise UnknownEntity(f"no entity {end.entity_id!r} to prefer", field="preferences")
    return _tastes(view, ends, lambda _: "request")


def _tastes(view: View, ends: Sequence[RelationEnd], source: Callable[[RelationEnd], str]) -> tuple[Taste, ...]:
    """Each entity once, by its last weight; those that do not exist or are sensitive are left out."""
    chosen: dict[int, Taste] = {}
    for end in ends:
        row = view.catalogue.entity_rows.get(end.entity_id)
        weight = 1.0 if end.weight is None else end.weight
        if row is not None and weight > 0 and not view.catalogue.is_sensitive(row):
            chosen[row] = Taste(row, weight, source(end))
    return tuple(chosen.values())


def _strength(deed: Deed) -> tuple[bool, bool, float]:
    return is_positive(deed.kind, deed.value), deed.is_kept, event_weight(deed.kind, deed.value)


def _time(deed: Deed) -> int:
    return deed.at
