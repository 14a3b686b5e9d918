"""Records as they lie in Kafka. What is about a person is sealed with that person's key; whom it names, with theirs.

A value is one byte and then, for 0, the text; for 1, and for 2 where it says that the person was erased, the key's
id (8), a nonce (12) and the sealed text. The text is one byte, 1 for an event whose time the server made, and the
record as JSON.
"""

import base64
import os
from collections.abc import Sequence, Set
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.records import Record, RelationDeleted, RelationPut, UserErased, UserMerged, UserPut
from ingest.group_commit import Line, line_of
from ingest.kafka_index import Key
from ingest.kafka_keys import ID_BYTES, Keyring
from ingest.log_erasure import person_of

PLAIN, SEALED, FAREWELL = b"\x00", b"\x01", b"\x02"
TIMED, SERVER_TIMED = b"\x00", b"\x01"
NONCE_BYTES = 12
NOBODY = ""  # stands for someone who was erased before the record was written
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Record)


@dataclass(frozen=True)
class Wire:
    """person: the keyed hash of whom it is about, which is the message's key; None: nobody."""

    person: bytes | None
    value: bytes


class Sealer:
    """Raises (any method): LogUnavailable where keys have to be made or looked for and Kafka does not answer."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def people(self, record: Record) -> set[bytes]:
        """The hashes of everyone whom a record is about or names."""
        person = person_of(record)
        return {self._keyring.hash(user_id) for user_id in (() if person is None else (person, *_named(record)))}

    def seal(self, lines: Sequence[Line], erased: Set[bytes]) -> list[Wire]:
        """The records made ready to be sent. erased: those among their people for whom no key may be made."""
        living = {
            person
            for line in lines
            if not isinstance(line.record, UserErased)
            for person in self.people(line.record) - erased
        }
        keys = self._keyring.current(living)
        return [self._seal(line, keys) for line in lines]

    def open(self, values: Sequence[bytes]) -> list[Line | None]:
        """The records; None where nobody can read it any more, or it was never a record."""
        self._keyring.refresh()
        missing = list[bytes]()
        lines = [self._open(value, missing) for value in values]
        if missing:
            self._keyring.look()  # made by another machine a moment ago?
            lines = [self._open(value, missing) for value in values]
        return lines

    def seal_bytes(self, text: bytes, key: Key | None) -> bytes:
        """Any text of a person's; without a key, of nobody's."""
        if key is None:
            return PLAIN + text
        nonce = os.urandom(NONCE_BYTES)
        found = self._keyring.cipher(key.key_id)
        cipher = found[1] if found is not None else AESGCM(key.key)
        return (SEALED if key.farewell is None else FAREWELL) + key.key_id + nonce + cipher.encrypt(nonce, text, None)

    def open_bytes(self, value: bytes, missing: list[bytes]) -> bytes | None:
        """The text; None where its key, which is added to `missing`, is not there."""
        if value[:1] == PLAIN:
            return value[1:]
        if value[:1] not in (SEALED, FAREWELL):
            return None
        found = self._keyring.cipher(key_id_of(value))
        if found is None:
            missing.append(key_id_of(value))
            return None
        rest = value[1 + ID_BYTES :]
        try:
            return found[1].decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], None)
        except InvalidTag:
            return None

    def _seal(self, line: Line, keys: dict[bytes, Key]) -> Wire:
        record, user_id = line.record, person_of(line.record)
        if user_id is None:
            return Wire(None, PLAIN + TIMED + line.payload)
        person = self._keyring.hash(user_id)
        key = self._keyring.farewell(person) if isinstance(record, UserErased) else keys[person]
        named = _named(record)
        payload = (
            _ENCODER.encode(_renamed(record, [self._hide(name, keys) for name in named])) if named else line.payload
        )
        return Wire(person, self.seal_bytes((TIMED if line.timed else SERVER_TIMED) + payload, key))

    def _open(self, value: bytes, missing: list[bytes]) -> Line | None:
        text = self.open_bytes(value, missing)
        if text is None:
            return None
        try:
            record = _DECODER.decode(text[1:])
        except msgspec.DecodeError:
            return None
        shown = [self._show(name, missing) for name in _named(record)]
        names = [name for name in shown if name is not None]
        if len(names) < len(shown) and not isinstance(record, UserPut):
            return None  # joins someone to nobody
        return line_of(_renamed(record, names), timed=text[:1] == TIMED)

    def _hide(self, user_id: str, keys: dict[bytes, Key]) -> str:
        key = keys.get(self._keyring.hash(user_id))
        return NOBODY if key is None else base64.b85encode(self.seal_bytes(user_id.encode(), key)).decode()

    def _show(self, hidden: str, missing: list[bytes]) -> str | None:
        text = None if hidden == NOBODY else self.open_bytes(base64.b85decode(hidden), missing)
        return None if text is None else text.decode()


def key_id_of(value: bytes) -> bytes:
    """The id of the key that opens a sealed value."""
    return value[1 : 1 + ID_BYTES]


def is_farewell(value: bytes) -> bool:
    """Whether it says that a person was erased, readable or not."""
    return value[:1] == FAREWELL


def farewell_to(person: bytes) -> Wire:
    """Says that someone was erased, and not whom."""
    return Wire(person, FAREWELL + bytes(ID_BYTES))


def _named(record: Record) -> tuple[str, ...]:
    """The other people whom a person's record names."""
    match record:
        case UserPut():
            return record.follows
        case UserMerged():
            return (record.from_id,)
        case RelationPut() | RelationDeleted() if record.type == "FOLLOWS":
            return (record.tail_id,)
        case _:
            return ()


def _renamed(record: Record, names: list[str]) -> Record:
    """The record with these in the places of those whom it names."""
    match record:
        case UserPut():
            return msgspec.structs.replace(record, follows=tuple(names))
        case UserMerged():
            return msgspec.structs.replace(record, from_id=names[0])
        case RelationPut() | RelationDeleted() if record.type == "FOLLOWS":
            return msgspec.structs.replace(record, tail_id=names[0])
        case _:
            return record
