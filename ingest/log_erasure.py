"""Whom a record of the log is about, and how a person is taken out of it."""

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import msgspec

from domain.records import Event, Record, RelationDeleted, RelationPut, UserErased, UserMerged, UserPut
from ingest.log_contract import DeadLetter, DurableLog

_PERSONAL_RELATIONS = ("FOLLOWS", "PREFERS")
MANY = 1_000  # people to ask for at once; all tombstones are then read
ALL_LETTERS = 10_000_000
_DECODER = msgspec.json.Decoder(Record)


def person_of(record: Record) -> str | None:
    """The user to whom a record belongs: with them it goes. None: it is about no person."""
    if isinstance(record, Event | UserPut | UserErased | UserMerged):
        return record.user_id
    if isinstance(record, RelationPut | RelationDeleted) and (
        record.type in _PERSONAL_RELATIONS or record.head_label == "User"
    ):
        return record.head_id
    return None


def persons_in(record: Record) -> tuple[str, ...]:
    """Every user whom a record would bring (back) into a projection; none for an erasure."""
    if isinstance(record, UserErased):
        return ()
    person = person_of(record)
    if person is None:
        return ()
    if isinstance(record, UserPut):
        return (person, *record.follows)
    if isinstance(record, RelationPut) and record.type == "FOLLOWS":
        return (person, record.tail_id)
    if isinstance(record, UserMerged):
        return (person, record.from_id)
    return (person,)


def visitors_of(records: Iterable[Record]) -> set[str]:
    """The visitors that some of a person's records join to them: they are the same person, and go with them."""
    return {record.from_id for record in records if isinstance(record, UserMerged)}


@dataclass(frozen=True)
class Held:
    """What a log holds of a person. people: the id, and those of visitors who turned out to be this person."""

    people: frozenset[str]
    records: tuple[Record, ...]
    letters: tuple[DeadLetter, ...]


def held_of(log: DurableLog, user_id: str) -> Held:
    """Reads the whole log, as often as there are visitors to be found. Raises: LogError."""
    people, found = frozenset({user_id}), tuple[Record, ...]()
    while True:
        found = tuple(record for record in _all_records(log) if person_of(record) in people and not is_erasure(record))
        joined = people | visitors_of(found) - {""}
        if joined == people:
            break
        people = joined
    letters = tuple(letter for letter in reversed(log.dead(ALL_LETTERS)) if letter.user_id in people)
    return Held(people, found, letters)


def is_erasure(record: Record) -> bool:
    return isinstance(record, UserErased)


def _all_records(log: DurableLog) -> Iterator[Record]:
    offset = 0
    while records := log.read(offset):
        yield from (record for _, record in records)
        offset = records[-1][0]


def erased_among(connection: sqlite3.Connection, key: bytes, user_ids: Collection[str]) -> set[str]:
    """Those of the people for whom there is a tombstone."""
    if not user_ids or not has_erased(connection):
        return set()
    if len(user_ids) > MANY:
        known = {digest for (digest,) in connection.execute("SELECT digest FROM tombstones")}
        return {user_id for user_id in user_ids if tombstone(key, user_id) in known}
    query = "SELECT 1 FROM tombstones WHERE digest = ?"
    return {
        user_id for user_id in user_ids if connection.execute(query, (tombstone(key, user_id),)).fetchone() is not None
    }


def has_erased(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM tombstones LIMIT 1").fetchone() is not None


def erase(writer: sqlite3.Connection, key: bytes, user_id: str) -> set[str]:
    """Deletes the person's rows, takes them out of the rows of others who follow them, and leaves a tombstone.

    So it goes with every visitor who turned out to be this person; returns who they are. Reads the whole log twice for
    each of them: an index of people would cost every event a random page, and erasures are rare.
    """
    writer.execute("INSERT OR IGNORE INTO tombstones VALUES (?)", (tombstone(key, user_id),))
    rows = writer.execute("SELECT offset, payload FROM log WHERE user_id = ?", (user_id,)).fetchall()
    own = [_DECODER.decode(payload) for _, payload in rows]
    ids = [(record.event_id,) for record in own if isinstance(record, Event)]
    writer.executemany("DELETE FROM event_ids WHERE event_id = ?", ids)
    writer.executemany("DELETE FROM log WHERE offset = ?", [(offset,) for offset, _ in rows])
    needle = msgspec.json.encode(user_id)
    writer.execute("DELETE FROM dead WHERE user_id = ? OR user_id IS NULL AND instr(payload, ?)", (user_id, needle))
    visitors = visitors_of(own) - {user_id}
    for visitor_id in tuple(visitors):
        visitors |= erase(writer, key, visitor_id)
    mentions = writer.execute(
        "SELECT offset, payload FROM log WHERE user_id IS NOT NULL AND instr(payload, ?)", (needle,)
    ).fetchall()
    for offset, payload in mentions:
        record = _DECODER.decode(payload)
        if isinstance(record, UserPut):
            kept = tuple(followed for followed in record.follows if followed != user_id)
            rewritten = msgspec.json.encode(msgspec.structs.replace(record, follows=kept))
            writer.execute("UPDATE log SET payload = ? WHERE offset = ?", (rewritten, offset))
        elif (isinstance(record, RelationPut | RelationDeleted) and record.tail_id == user_id) or (
            isinstance(record, UserMerged) and record.from_id == user_id
        ):
            writer.execute("DELETE FROM log WHERE offset = ?", (offset,))
    return visitors - {user_id}


def erasures_of(visitors: Iterable[str], user_id: str) -> list[UserErased]:
    """What tells the projections; the person comes last. Some may know a visitor, and not who it turned out to be."""
    return [UserErased(user_id=one) for one in (*sorted(visitors), user_id)]


def tombstone(key: bytes, user_id: str) -> bytes:
    """(16,) bytes that stand for a person, and tell nobody without the key who it is."""
    return hashlib.blake2b(user_id.encode(), key=key, digest_size=16).digest()
