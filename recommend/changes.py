"""What the log says of one user, as one small immutable value: the projection that every process keeps, and Redis too.

`after(changes, offset, record)` is the whole rule. It needs no snapshot and no catalogue, so that `clew writer` makes
the same values as the API processes do. A record that is in already changes nothing.
"""

import hashlib
import sys

import msgspec

from domain.records import Event, RelationDeleted, RelationEnd, RelationPut, UserErased, UserMerged, UserPut

MOST_EVENTS = 1_000  # of the log, per user; older ones count again from the next snapshot on

Stated = UserPut | RelationPut | RelationDeleted
Single = Event | UserErased | Stated  # about one user
PeopleRecord = Single | UserMerged


class LoggedEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event of the log. at: milliseconds UTC. id_hash: 64 bits that stand for the event's id."""

    offset: int
    item_id: str
    kind: str
    at: int
    value: float | None
    id_hash: int

    def __post_init__(self) -> None:
        """Users share the strings, those read back from elsewhere too: there are many more events than items."""
        msgspec.structs.force_setattr(self, "item_id", sys.intern(self.item_id))
        msgspec.structs.force_setattr(self, "kind", sys.intern(self.kind))


class UserChanges(msgspec.Struct, frozen=True, array_like=True):
    """offset: of the newest record that is in here. events: in the order of the log.

    stated: (offset, record) of profile, tastes and follows, from the last whole UserPut on.
    merged: (offset, visitor id) of visitors who turned out to be this user. tastes: what those visitors stated.
    gone: offset of an erasure or of a merge into somebody else; what a snapshot before it says is no longer so.
    """

    offset: int = 0
    events: tuple[LoggedEvent, ...] = ()
    stated: tuple[tuple[int, Stated], ...] = ()
    merged: tuple[tuple[int, str], ...] = ()
    tastes: tuple[tuple[int, RelationEnd], ...] = ()
    gone: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing is said beside, perhaps, that the user is gone."""
        return not (self.events or self.stated or self.merged)

    @property
    def oldest(self) -> int:
        """The lowest offset of a record that is in here."""
        entries = (*self.stated[:1], *self.merged[:1], *self.tastes[:1])
        gone = [self.gone] if self.gone else []
        return min([*gone, *(event.offset for event in self.events[:1]), *(entry[0] for entry in entries)], default=0)

    @property
    def size(self) -> int:
        """Bytes in memory, roughly."""
        return 400 + 180 * len(self.events) + 700 * len(self.stated) + 200 * (len(self.merged) + len(self.tastes))


NOTHING = UserChanges()


def after(changes: UserChanges, offset: int, record: Single) -> UserChanges:
    """The changes with one more record of the same user. A merge is of two users: see `joined`."""
    if offset <= changes.offset:
        return changes
    match record:
        case Event():
            return _with_event(changes, offset, record)
        case UserPut():
            return msgspec.structs.replace(changes, offset=offset, stated=((offset, record),), tastes=())
        case RelationPut() | RelationDeleted():
            return msgspec.structs.replace(changes, offset=offset, stated=(*changes.stated, (offset, record)))
        case UserErased():
            return UserChanges(offset=offset, gone=offset)


def joined(user: UserChanges, visitor: UserChanges, offset: int, visitor_id: str) -> tuple[UserChanges, UserChanges]:
    """The user with all that the log says of the visitor, and what is left of the visitor: nothing."""
    if offset <= user.offset:
        return user, visitor
    known = {event.id_hash for event in user.events}
    events = [*user.events, *(event for event in visitor.events if event.id_hash not in known)]
    whole = UserChanges(
        offset=offset,
        events=tuple(sorted(events, key=lambda event: event.offset)[-MOST_EVENTS:]),
        stated=user.stated,
        merged=(*user.merged, *visitor.merged, (offset, visitor_id)),
        tastes=(*user.tastes, *visitor.tastes, *((offset, taste) for taste in _tastes_of(visitor))),
        gone=user.gone,
    )
    return whole, UserChanges(offset=offset, gone=offset)


def without(changes: UserChanges, gone_id: str) -> UserChanges:
    """The changes of a user, without somebody else whom they followed or turned out to be."""
    stated = [(offset, _without(record, gone_id)) for offset, record in changes.stated]
    return msgspec.structs.replace(
        changes,
        stated=tuple((offset, record) for offset, record in stated if record is not None),
        merged=tuple(entry for entry in changes.merged if entry[1] != gone_id),
    )


def between(changes: UserChanges, snapshot_offset: int, until: int) -> UserChanges:
    """What records above a snapshot's offset, and up to `until`, say. Nothing is lost when later ones come again."""
    if snapshot_offset < changes.oldest and changes.offset <= until:
        return changes
    return UserChanges(
        offset=min(changes.offset, until),
        events=tuple(event for event in changes.events if snapshot_offset < event.offset <= until),
        stated=tuple(entry for entry in changes.stated if snapshot_offset < entry[0] <= until),
        merged=tuple(entry for entry in changes.merged if snapshot_offset < entry[0] <= until),
        tastes=tuple(entry for entry in changes.tastes if snapshot_offset < entry[0] <= until),
        gone=changes.gone if snapshot_offset < changes.gone <= until else 0,
    )


def _without(record: Stated, gone_id: str) -> Stated | None:
    if isinstance(record, UserPut):
        return msgspec.structs.replace(record, follows=tuple(one for one in record.follows if one != gone_id))
    return None if record.type == "FOLLOWS" and record.tail_id == gone_id else record


def _tastes_of(visitor: UserChanges) -> tuple[RelationEnd, ...]:
    """The tastes that a visitor's records state."""
    tastes: dict[str, RelationEnd] = {}
    for _, record in visitor.stated:
        if isinstance(record, UserPut):
            tastes = {end.entity_id: end for end in record.preferences}
        elif record.type == "PREFERS":
            tastes.pop(record.tail_id, None)
            if isinstance(record, RelationPut):
                tastes[record.tail_id] = RelationEnd(type="PREFERS", entity_id=record.tail_id, weight=record.weight)
    return tuple(tastes.values())


def hash_of(event_id: str) -> int:
    """63 bits that stand for the id of an event."""
    return int.from_bytes(hashlib.blake2b(event_id.encode(), digest_size=8).digest(), "big") >> 1


def _with_event(changes: UserChanges, offset: int, event: Event) -> UserChanges:
    id_hash = hash_of(event.event_id)
    if any(known.id_hash == id_hash for known in changes.events):
        return msgspec.structs.replace(changes, offset=offset)
    kept = LoggedEvent(offset, event.item_id, event.kind, event.at, event.value, id_hash)
    return msgspec.structs.replace(changes, offset=offset, events=(*changes.events, kept)[-MOST_EVENTS:])
