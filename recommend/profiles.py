"""What is known of users: the snapshot's rows and the log's records since. A user's record is replaced as a whole."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from domain.records import Event, RelationDeleted, RelationEnd, RelationPut, UserErased, UserPut
from domain.snapshot import Relations, Snapshot

UserRecords = Event | UserPut | UserErased | RelationPut | RelationDeleted


@dataclass(frozen=True)
class UserRecord:
    """One user. user_row: in the snapshot, −1 for users that came later. events: those of the log, in its order."""

    user_id: str
    user_row: int = -1
    events: tuple[Event, ...] = ()
    properties: Mapping[str, object] = field(default_factory=dict[str, object])
    relations: tuple[RelationEnd, ...] = ()
    preferences: tuple[RelationEnd, ...] = ()
    follows: tuple[str, ...] = ()


class Profiles:
    """user_id -> UserRecord. One thread writes, any number read: a lookup is one dictionary access."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._relations = [
            _UserRelation.of(snapshot, relation) for relation in snapshot.relations if _is_of_users(relation)
        ]
        self._changed: dict[str, UserRecord | None] = {}
        self._erased_rows: frozenset[int] = frozenset()

    def get(self, user_id: str) -> UserRecord | None:
        """The user's record; None for someone unknown or erased."""
        if user_id in self._changed:
            return self._changed[user_id]
        row = self._snapshot.user_row.get(user_id)
        return None if row is None else self._from_snapshot(user_id, row)

    def original(self, record: UserRecord) -> UserRecord:
        """The user as the snapshot has them; empty for those that came later."""
        if record.user_row < 0:
            return UserRecord(record.user_id)
        return self._from_snapshot(record.user_id, record.user_row)

    @property
    def erased_rows(self) -> frozenset[int]:
        """Rows of the snapshot whose people were erased since."""
        return self._erased_rows

    def changed(self) -> Iterator[UserRecord]:
        """The users that the log has changed."""
        return iter([record for record in list(self._changed.values()) if record is not None])

    def apply(self, record: UserRecords) -> None:
        match record:
            case Event():
                user = self._user(record.user_id)
                self._changed[record.user_id] = replace(user, events=(*user.events, record))
            case UserPut():
                user = self._user(record.user_id)
                self._changed[record.user_id] = replace(
                    user,
                    properties=MappingProxyType(dict(record.properties)),
                    relations=record.relations,
                    preferences=record.preferences,
                    follows=record.follows,
                )
            case UserErased():
                row = self._snapshot.user_row.get(record.user_id)
                if row is not None:
                    self._erased_rows |= {row}
                self._changed[record.user_id] = None
            case RelationPut() | RelationDeleted():
                self._relate(record)

    def _user(self, user_id: str) -> UserRecord:
        return self.get(user_id) or UserRecord(user_id)

    def _relate(self, record: RelationPut | RelationDeleted) -> None:
        user = self._user(record.head_id)
        if record.type == "FOLLOWS":
            others = [other for other in user.follows if other != record.tail_id]
            if isinstance(record, RelationPut):
                others.append(record.tail_id)
            self._changed[record.head_id] = replace(user, follows=tuple(others))
            return
        name = "preferences" if record.type == "PREFERS" else "relations"
        present: tuple[RelationEnd, ...] = getattr(user, name)
        kept = [end for end in present if (end.type, end.entity_id) != (record.type, record.tail_id)]
        if isinstance(record, RelationPut):
            kept.append(RelationEnd(type=record.type, entity_id=record.tail_id, weight=record.weight))
        self._changed[record.head_id] = replace(user, **{name: tuple(kept)})

    def _from_snapshot(self, user_id: str, row: int) -> UserRecord:
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


_OWN = ("PREFERS", "FOLLOWS")


def _is_of_users(relation: Relations) -> bool:
    return relation.head_kind == "user"


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

    def of_row(self, row: int) -> slice:
        return slice(int(self.starts[row]), int(self.starts[row + 1]))

    def of_user(self, row: int) -> tuple[RelationEnd, ...]:
        part = self.of_row(row)
        weighted = self.type == "PREFERS"
        return tuple(
            RelationEnd(type=self.type, entity_id=str(self.ids[tail]), weight=float(weight) if weighted else None)
            for tail, weight in zip(self.tails[part].tolist(), self.weights[part].tolist(), strict=True)
        )
