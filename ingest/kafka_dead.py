"""Dead letters of a log on Kafka: a compacted topic, one message a letter, and none any more for one that is gone."""

import secrets
import threading
import time
from collections.abc import Collection, Sequence

import msgspec
from confluent_kafka import Message

from ingest.kafka_client import Follower, Outgoing, Sender
from ingest.kafka_index import KafkaIndex, StoredLetter
from ingest.kafka_keys import Keyring
from ingest.kafka_seal import Sealer
from ingest.log_contract import DeadLetter, Letter

ID_BYTES = 16
DROPPED = "dropped"


class _Envelope(msgspec.Struct, frozen=True, array_like=True):
    """A message's value. person, waits: keyed hashes. body: the sealed _Body."""

    code: str
    person: bytes | None
    waits: bytes | None
    body: bytes


class _Body(msgspec.Struct, frozen=True, array_like=True):
    buried_at: int
    message: str
    waits_for: str | None
    payload: bytes


class KafkaLetters:
    """The letters as this machine has seen them. It looks for new ones before it answers, but for the counts."""

    def __init__(
        self,
        topic: str,
        index: KafkaIndex,
        sealer: Sealer,
        keyring: Keyring,
        sender: Sender,
        follower: Follower,
        *,
        most: int,
    ) -> None:
        self._topic = topic
        self._index = index
        self._sealer = sealer
        self._keyring = keyring
        self._sender = sender
        self._follower = follower
        self._most = most
        self._lock = threading.Lock()
        self._awaited: dict[bytes | None, str | None] = {}  # keyed hash -> what it stands for

    def bury(self, letters: Sequence[Letter]) -> None:
        people = {
            letter.user_id: self._keyring.hash(letter.user_id) for letter in letters if letter.user_id is not None
        }
        erased = self._index.erased(set(people.values()))
        keys = self._keyring.current(set(people.values()) - erased)
        sent = list[Outgoing]()
        for letter in letters:
            person = None if letter.user_id is None else people[letter.user_id]
            if person in erased:
                continue
            body = _Body(_now_ms(), letter.message, letter.waits_for, msgspec.json.encode(letter.payload))
            key = None if person is None else keys[person]
            sealed = self._sealer.seal_bytes(msgspec.msgpack.encode(body), key)
            waits = None if letter.waits_for is None else self._keyring.hash(letter.waits_for)
            value = msgspec.msgpack.encode(_Envelope(letter.code, person, waits, sealed))
            sent.append(Outgoing(self._topic, secrets.token_bytes(ID_BYTES), value))
        self._sender.send(sent)
        self.look()
        self._drop_oldest()

    def newest(self, limit: int, waits_for: str | None) -> list[DeadLetter]:
        self.look()
        if waits_for is None:
            stored = self._index.letters("ORDER BY number DESC LIMIT ?", limit)
        else:
            waits = self._keyring.hash(waits_for)
            stored = self._index.letters("WHERE waits = ? ORDER BY number DESC LIMIT ?", waits, limit)
        return [letter for letter in map(self._opened, stored) if letter is not None]

    def awaited(self) -> set[str]:
        """What held ones wait for, as of the last look. Each name is unsealed once."""
        one_each = self._index.letters("WHERE waits IS NOT NULL GROUP BY waits")
        self._awaited = {one.waits: self._awaited.get(one.waits) or self._wait_of(one) for one in one_each}
        return {name for name in self._awaited.values() if name is not None}

    def forget(self, numbers: Collection[int]) -> None:
        self.look()
        self._remove([one for number in numbers for one in self._index.letters("WHERE number = ?", number)])

    def forget_person(self, person: bytes) -> None:
        """Those about a person, of whom this machine has seen."""
        self._remove(self._index.letters("WHERE person = ?", person))

    def counts(self) -> dict[str, int]:
        """As of the last look, so that they cost nothing, and are there while Kafka is away."""
        dropped = self._index.note(DROPPED)
        return {**self._index.letter_counts(), DROPPED: dropped if isinstance(dropped, int) else 0}

    def look(self) -> None:
        """Takes in what the topic has gained."""
        with self._lock:
            for messages in self._follower.to_end():
                with self._index.transaction():
                    known = self._index.position(self._topic)
                    for message in messages:
                        if (message.offset() or 0) >= known:  # below: another process has taken it in
                            self._take(message)
                    self._index.advance(self._topic, self._follower.position)

    def _take(self, message: Message) -> None:
        name, value = message.key() or b"", message.value()
        if value is None:
            self._index.drop_letter(name)
            return
        envelope = msgspec.msgpack.decode(value, type=_Envelope)
        number = (message.offset() or 0) + 1
        self._index.add_letter(
            StoredLetter(number, name, envelope.person, envelope.waits, envelope.code, envelope.body)
        )

    def _drop_oldest(self) -> None:
        """Removes the oldest rejected letters beyond the most that are kept, and counts them. Held ones stay."""
        extra = self._index.letters("WHERE waits IS NULL ORDER BY number DESC LIMIT -1 OFFSET ?", self._most)
        if extra:
            dropped = self._index.note(DROPPED)
            self._remove(extra)
            self._index.set_note(DROPPED, (dropped if isinstance(dropped, int) else 0) + len(extra))

    def _remove(self, letters: Sequence[StoredLetter]) -> None:
        self._sender.send([Outgoing(self._topic, letter.id, None) for letter in letters])
        with self._index.transaction():
            for letter in letters:
                self._index.drop_letter(letter.id)

    def _wait_of(self, stored: StoredLetter) -> str | None:
        letter = self._opened(stored)
        return letter.waits_for if letter else None

    def _opened(self, stored: StoredLetter) -> DeadLetter | None:
        text = self._sealer.open_bytes(stored.body, [])
        if text is None:
            return None
        body = msgspec.msgpack.decode(text, type=_Body)
        return DeadLetter(
            payload=msgspec.json.decode(body.payload),
            code=stored.code,
            message=body.message,
            waits_for=body.waits_for,
            number=stored.number,
            buried_at=body.buried_at,
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
