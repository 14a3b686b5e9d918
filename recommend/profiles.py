"""What is known of users: the snapshot's rows and the log's records since, within a bound of memory.

Users who were not asked for lately leave memory for the shelf, and come back from it. A user's record is replaced as
a whole, so that readers keep what they hold.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.declarations import OPT_OUT
from domain.records import Event, RelationDeleted, RelationEnd, RelationPut, UserErased, UserMerged, UserPut
from domain.snapshot import GONE, Relations, Snapshot
from recommend.changes import NOTHING, LoggedEvent, PeopleRecord, Stated, UserChanges, after, between, joined
from recommend.shelf import FileShelf, Shelf

_OWN = ("PREFERS", "FOLLOWS")


@dataclass(frozen=True)
class UserRecord:
    """One user. user_row: in the snapshot, −1 for users that came later. events: those of the log, in its order.

    merged_rows: of the snapshot, of visitors that a merge of the log made this user's.
    """

    user_id: str
    user_row: int = -1
    events: tuple[LoggedEvent, ...] = ()
    properties: Mapping[str, object] = field(default_factory=dict[str, object])
    relations: tuple[RelationEnd, ...] = ()
    preferences: tuple[RelationEnd, ...] = ()
    follows: tuple[str, ...] = ()
    merged_rows: tuple[int, ...] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """All rows of the snapshot whose events are this user's."""
        return (self.user_row, *self.merged_rows) if self.user_row >= 0 else self.merged_rows

    @property
    def is_opted_out(self) -> bool:
        """Whether nothing may be made of what they do."""
        return self.properties.get(OPT_OUT) is True


@dataclass(frozen=True)
class ProfileCounts:
    """How the memory is used. users, bytes: held now. evicted: to the shelf so far; reloaded: back from it."""

    users: int
    bytes: int
    evicted: int
    reloaded: int


@dataclass(frozen=True)
class Room:
    """memory_bytes: what records of the log, and what readers made of users, may take, roughly. shelf: for the rest."""

    memory_bytes: int = 256 * 2**20
    shelf: Callable[[], Shelf] = FileShelf


@dataclass
class Held:
    """A user in memory. record: made when somebody asks. features: what a reader made of it, for the next reader."""

    changes: UserChanges
    record: UserRecord | None = None
    features: Any = None
    features_bytes: int = 0

    @property
    def bytes(self) -> int:
        return self.changes.size + self.features_bytes


class Profiles:
    """user_id -> UserRecord. One thread applies records, any number reads."""

    def __init__(self, snapshot: Snapshot, room: Room) -> None:
        self._snapshot = snapshot
        self._base = _Base(snapshot)
        self._shelf = room.shelf()
        self._memory_bytes = room.memory_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = self._evicted = self._reloaded = 0
        self._offset = snapshot.log_offset  # of the newest record applied
        out = snapshot.user_properties.get(OPT_OUT, ())
        opted_out = {row for row, value in enumerate(out) if value is True}
        self._hidden_rows = frozenset(opted_out.union(np.flatnonzero(snapshot.user_ids == GONE).tolist()))

    def get(self, user_id: str) -> UserRecord | None:
        """The user's record; None for someone unknown or erased."""
        with self._lock:
            held = self._find(user_id)
            if held.record is None:
                held.record = self._base.with_changes(user_id, held.changes)
            return held.record

    def features(self, record: UserRecord) -> Any:
        """What `keep` kept for exactly this record; None when the user changed since, or left memory."""
        with self._lock:
            held = self._held.get(record.user_id)
            return held.features if held is not None and held.record is record else None

    def keep(self, record: UserRecord, features: Any, size: int) -> None:
        """Keeps what was made of a record, of so many bytes, until the record changes or leaves memory."""
        with self._lock:
            held = self._held.get(record.user_id)
            if held is not None and held.record is record:
                self._bytes -= held.bytes
                held.features, held.features_bytes = features, size
                self._bytes += held.bytes
                self._evict()

    def original(self, record: UserRecord) -> UserRecord:
        """The user as the snapshot has them; empty for those that came later."""
        return self._base.record(record.user_id, record.user_row)

    @property
    def hidden_rows(self) -> frozenset[int]:
        """Rows of the snapshot whose people are not to be counted: erased since, merged into others, or opted out."""
        return self._hidden_rows

    @property
    def relies_on_shared(self) -> bool:
        """Whether some users are in Redis only, as far as this process knows them."""
        return self._shelf.relies_on_shared

    @property
    def counts(self) -> ProfileCounts:
        with self._lock:
            return ProfileCounts(len(self._held), self._bytes, self._evicted, self._reloaded)

    def apply(self, offset: int, record: PeopleRecord) -> tuple[UserChanges, ...] | None:
        """Records come in the order of the log. Returns what was known before of the user, and of a merge's visitor.

        None: the record was in already, or is an event whose id came before.
        """
        with self._lock:
            done = self._apply(offset, record)
            self._offset = offset
            return done

    def _apply(self, offset: int, record: PeopleRecord) -> tuple[UserChanges, ...] | None:
        if isinstance(record, UserMerged):
            return self._merge(offset, record)
        user_id = record.head_id if isinstance(record, RelationPut | RelationDeleted) else record.user_id
        before = self._find(user_id).changes
        changes = after(before, offset, record)
        if changes is before:
            return None
        self._hold(user_id, changes)
        if isinstance(record, UserErased):
            self._hide_row(user_id)
        if isinstance(record, UserPut):
            self._hide_row(user_id, hides=bool(changes.gone) or record.properties.get(OPT_OUT) is True)
        return None if isinstance(record, Event) and changes.events is before.events else (before,)

    def _merge(self, offset: int, record: UserMerged) -> tuple[UserChanges, ...] | None:
        if not record.from_id or record.user_id == record.from_id:  # an erased visitor has no id any more
            return None
        user, visitor = (self._find(one).changes for one in (record.user_id, record.from_id))
        whole, rest = joined(user, visitor, offset, record.from_id)
        if whole is user:
            return None
        self._hold(record.from_id, rest)
        self._hold(record.user_id, whole)
        self._hide_row(record.from_id)
        return user, visitor

    def _find(self, user_id: str) -> Held:
        held = self._held.get(user_id)
        if held is not None:
            self._held.move_to_end(user_id)
            return held
        changes = self._shelf.take(user_id)
        if changes is not None:
            changes = between(changes, self._snapshot.log_offset, self._offset)
            self._reloaded += 1
        elif user_id not in self._snapshot.user_row:
            return Held(NOTHING)
        return self._hold(user_id, changes or NOTHING)

    def _hold(self, user_id: str, changes: UserChanges) -> Held:
        before = self._held.get(user_id)
        held = self._held[user_id] = Held(changes)
        self._held.move_to_end(user_id)
        self._bytes += held.bytes - (before.bytes if before else 0)
        self._evict()
        return held

    def _evict(self) -> None:
        """The users that nobody asked for longest go to the shelf; one always stays."""
        while self._bytes > self._memory_bytes and len(self._held) > 1:
            user_id, held = self._held.popitem(last=False)
            self._bytes -= held.bytes
            if held.changes is not NOTHING:
                self._shelf.put(user_id, held.changes)
                self._evicted += 1

    def _hide_row(self, user_id: str, *, hides: bool = True) -> None:
        row = self._snapshot.user_row.get(user_id)
        if row is not None:
            self._hidden_rows = self._hidden_rows | {row} if hides else self._hidden_rows - {row}


class _Base:
    """Users as the snapshot has them, and with changes on top."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._relations = [_UserRelation.of(snapshot, one) for one in snapshot.relations if one.head_kind == "user"]

    def with_changes(self, user_id: str, changes: UserChanges) -> UserRecord | None:
        """None for someone who is neither in the snapshot nor in the log, or gone."""
        row = -1 if changes.gone else self._snapshot.user_row.get(user_id, -1)
        if row < 0 and changes.is_empty:
            return None
        user = self.record(user_id, row)
        for _, record in changes.stated:
            user = _stated(user, record)
        user = replace(user, events=changes.events)
        return self._joined(user, changes) if changes.merged or changes.tastes else user

    def record(self, user_id: str, row: int) -> UserRecord:
        """The user of a row; −1: without anything."""
        if row < 0:
            return UserRecord(user_id)
        properties = {name: column[row] for name, column in self._snapshot.user_properties.items()}
        ends = {relation.type: relation.of_user(row) for relation in self._relations}
        return UserRecord(
            user_id,
            row,
            properties=MappingProxyType({name: value for name, value in properties.items() if value is not None}),
            relations=tuple(end for name, of_type in ends.items() if name not in _OWN for end in of_type),
            preferences=ends.get("PREFERS", ()),
            follows=tuple(end.entity_id for end in ends.get("FOLLOWS", ())),
        )

    def _joined(self, user: UserRecord, changes: UserChanges) -> UserRecord:
        """The user with the snapshot's rows and tastes of visitors, and the tastes that those stated since."""
        rows = {
            offset: self._snapshot.user_row[one] for offset, one in changes.merged if one in self._snapshot.user_row
        }
        replaced = max((offset for offset, record in changes.stated if isinstance(record, UserPut)), default=0)
        later = [self.record("", row).preferences for offset, row in rows.items() if offset > replaced]
        tastes = {end.entity_id: end for ends in later for end in ends}
        tastes |= {end.entity_id: end for _, end in changes.tastes}
        tastes |= {end.entity_id: end for end in user.preferences}
        return replace(user, merged_rows=tuple(rows.values()), preferences=tuple(tastes.values()))


def _stated(user: UserRecord, record: Stated) -> UserRecord:
    """The user with one more record of profile, tastes or follows."""
    if isinstance(record, UserPut):
        return replace(
            user,
            properties=MappingProxyType(dict(record.properties)),
            relations=record.relations,
            preferences=record.preferences,
            follows=record.follows,
        )
    is_put = isinstance(record, RelationPut)
    if record.type == "FOLLOWS":
        others = [other for other in user.follows if other != record.tail_id]
        return replace(user, follows=(*others, record.tail_id) if is_put else tuple(others))
    name = "preferences" if record.type == "PREFERS" else "relations"
    present: tuple[RelationEnd, ...] = getattr(user, name)
    kept = [end for end in present if (end.type, end.entity_id) != (record.type, record.tail_id)]
    if is_put:
        kept.append(RelationEnd(type=record.type, entity_id=record.tail_id, weight=record.weight))
    return replace(user, **{name: tuple(kept)})


@dataclass(frozen=True)
class _UserRelation:
    """One relation type from users, grouped by user row."""

    type: str
    starts: NDArray[np.int64]
    tails: NDArray[np.int32]
    weights: NDArray[np.float32]
    ids: NDArray[np.object_]

    @classmethod
    def of(cls, snapshot: Snapshot, relation: Relations) -> "_UserRelation":
        order = np.lexsort((relation.tails, relation.heads))
        starts = np.searchsorted(relation.heads[order], np.arange(len(snapshot.user_ids) + 1))
        columns = {"user": snapshot.user_ids, "item": snapshot.item_ids, "entity": snapshot.entity_ids}
        weights = relation.weights[order] if len(relation.weights) else np.ones(len(order), np.float32)
        return cls(relation.type, starts, relation.tails[order], weights, columns[relation.tail_kind])

    def of_user(self, row: int) -> tuple[RelationEnd, ...]:
        part = slice(int(self.starts[row]), int(self.starts[row + 1]))
        weighted = self.type == "PREFERS"
        return tuple(
            RelationEnd(type=self.type, entity_id=str(self.ids[tail]), weight=float(weight) if weighted else None)
            for tail, weight in zip(self.tails[part].tolist(), self.weights[part].tolist(), strict=True)
        )
