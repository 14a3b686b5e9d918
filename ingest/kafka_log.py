"""The durable log in a Kafka topic that several machines share.

A record is in the log when `append` returns: acks=all, idempotent producer. The topic has one partition, so that all
machines see one order; each process follows it in a thread. A repeated event that two machines took at the same moment
lies in the topic twice and is read once: the first counts. What is about a person is sealed with a key of theirs.
"""

import threading
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Self

from domain.errors import LogError
from domain.records import Event, Record
from ingest.group_commit import Batch, GroupCommit, Line, judge, lines_of
from ingest.kafka_address import KafkaAddress
from ingest.kafka_client import (
    COMPACTED,
    KEPT,
    TIMEOUT_S,
    Ends,
    Follower,
    Identity,
    Outgoing,
    Sender,
    ensure_topics,
    replaced,
)
from ingest.kafka_dead import KafkaLetters
from ingest.kafka_index import KafkaIndex
from ingest.kafka_keys import Keyring
from ingest.kafka_seal import Sealer, farewell_to, is_farewell
from ingest.kafka_skips import skip_to
from ingest.kafka_tail import Tail
from ingest.log_contract import MAX_DEAD, DeadLetter, Letter, Verdict
from ingest.log_erasure import erasures_of, held_of, persons_in


class KafkaLog:
    """A DurableLog in Kafka. Our offsets are Kafka's plus one, and more behind a skip.

    index_folder: where this machine keeps what it has learnt of the topic; may be deleted while nothing runs.
    Opening it returns when everything that was in the topic is known here.
    Raises (any method): LogUnavailable while Kafka does not answer and has to be asked; LogReplaced once the topics are
        not those that were opened; LogError and below for the index. Opening: also InvalidSettings for a topic of
        several partitions.
    """

    erasure = "unreadable now; its key leaves the brokers within two days"

    def __init__(self, address: KafkaAddress, index_folder: Path, *, max_dead: int = MAX_DEAD) -> None:
        self._brokers, self._topic = address.brokers, address.topic
        keys_topic, dead_topic = f"{self._topic}.keys", f"{self._topic}.dead"
        ids = ensure_topics(self._brokers, {self._topic: KEPT, keys_topic: COMPACTED, dead_topic: COMPACTED})
        topic_id = ids[self._topic].replace("/", "_")  # base64, with slashes at times
        self._index = KafkaIndex(index_folder / f"{self._topic}-{topic_id}.db")
        self._identity = Identity(self._brokers, ids)
        self._sender, self._ends = Sender(self._brokers), Ends(self._brokers)
        self._followers = {name: self._follower(name) for name in (self._topic, keys_topic, dead_topic)}
        self._keyring = Keyring(keys_topic, self._index, self._sender, self._followers[keys_topic])
        self._sealer = Sealer(self._keyring)
        self._letters = KafkaLetters(
            dead_topic,
            self._index,
            self._sealer,
            self._keyring,
            self._sender,
            self._followers[dead_topic],
            most=max_dead,
        )
        self._tail = Tail(
            self._topic,
            self._index,
            self._sealer,
            self._keyring,
            self._followers[self._topic],
            self._letters.forget_person,
            self._look_around,
        )
        self._group = GroupCommit(self._commit)
        self._looking_back = threading.Lock()
        self._closed = False
        try:
            self._letters.look()
            self._tail.start()
        except BaseException:
            self.close()
            raise

    @property
    def where(self) -> str:
        return f"kafka {self._brokers} {self._topic}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._group.lock, self._looking_back:
            if self._closed:
                return
            self._closed = True
            self._tail.stop()
            for follower in self._followers.values():
                follower.close()
            self._ends.close()
            self._sender.close()
            self._index.close()

    def append(self, records: Sequence[Record], *, server_timed: Collection[int] = ()) -> list[Verdict]:
        """As in the contract. When it raises, some records may be there all the same: sent again, they are known."""
        return self._group.append(lines_of(records, server_timed))

    def read(self, after: int, limit: int = 10_000) -> list[tuple[int, Record]]:
        self._check()
        start, end = self._tail.skips.position(after), self._tail.level()
        if start >= end:
            return []
        kept = self._tail.newest(start, end, limit)
        found = self._read_back(start, end, limit) if kept is None else kept
        return [(self._ours(offset), record) for offset, record in found]

    def last_offset(self) -> int:
        self._check()
        return self._tail.skips.offset(self._tail.level())

    def skip_to(self, offset: int) -> bool:
        is_behind = self.last_offset() < offset
        if is_behind:
            self._deliver([Outgoing(self._topic, None, skip_to(offset))])
        return is_behind

    def bury(self, letters: Sequence[Letter]) -> None:
        self._check()
        self._letters.bury(letters)

    def dead(self, limit: int = 100, *, waits_for: str | None = None) -> list[DeadLetter]:
        self._check()
        return self._letters.newest(limit, waits_for)

    def awaited(self) -> set[str]:
        self._check()
        return self._letters.awaited()

    def unbury(self, numbers: Collection[int]) -> None:
        self._check()
        self._letters.forget(numbers)

    def dead_counts(self) -> dict[str, int]:
        self._check()
        return self._letters.counts()

    def erase_user(self, user_id: str) -> int:
        """As in the contract: the person's keys are destroyed, here at once, on the brokers when they compact."""
        self._check()
        has_visitors = self._index.visitors(self._keyring.hash(user_id))
        visitors = held_of(self, user_id).people - {user_id} if has_visitors else ()
        offset = self.append(erasures_of(visitors, user_id))[-1].offset
        assert offset is not None
        return offset

    def forget_erasures(self, up_to: int) -> None:
        self._check()
        keys = self._index.farewells(self._tail.skips.position(up_to))
        if keys:
            self._keyring.destroy(keys)
            self._tail.forget_kept()

    def is_erased(self, user_id: str) -> bool:
        return bool(self.erased_among({user_id}))

    def erased_among(self, user_ids: Collection[str]) -> set[str]:
        self._check()
        hashes = {self._keyring.hash(user_id): user_id for user_id in user_ids}
        return {hashes[person] for person in self._index.erased(hashes.keys())}

    def has_erased(self) -> bool:
        self._check()
        return self._index.has_erased()

    def _commit(self, batches: list[Batch]) -> None:
        """Sends what is new of all batches, and waits until it can be read here."""
        self._check()
        lines = [line for batch in batches for line in batch.lines]
        erased_hashes = self._index.erased({person for line in lines for person in self._sealer.people(line.record)})
        people = {person for line in lines for person in persons_in(line.record)} if erased_hashes else set[str]()
        erased = {person for person in people if self._keyring.hash(person) in erased_hashes}
        known, fresh = self._known(lines), list[Line]()
        for batch in batches:
            for line in batch.lines:
                verdict = judge(line, erased, known, -1 - len(fresh))  # its place, until Kafka says the offset
                batch.verdicts.append(verdict)
                if verdict.code == "accepted":
                    fresh.append(line)
        offsets = self._send(fresh, erased_hashes)
        for batch in batches:
            batch.verdicts = [_settled(verdict, offsets) for verdict in batch.verdicts]

    def _send(self, lines: list[Line], erased: set[bytes]) -> list[int]:
        if not lines:
            return []
        wires = self._sealer.seal(lines, erased)
        leaving = {wire.person for wire in wires if wire.person is not None and is_farewell(wire.value)}
        visitors = {visitor for person in leaving for visitor in self._index.visitors(person)}
        wires += [farewell_to(visitor) for visitor in visitors - leaving]  # merged meanwhile, or by who is gone
        offsets = self._deliver([Outgoing(self._topic, wire.person, wire.value) for wire in wires])
        return [self._ours(offset) for offset in offsets[: len(lines)]]

    def _deliver(self, messages: Sequence[Outgoing]) -> list[int]:
        """Kafka's offsets of what is in the topic, and readable here, when it returns."""
        before = self._tail.position
        offsets = self._sender.send(messages)
        if min(offsets) < before:
            self._tail.give_up(replaced(self._brokers, self._topic))
        self._tail.wait_for(max(offsets) + 1, TIMEOUT_S)  # durable by now: too long a wait is no failure
        self._tail.check()
        return offsets

    def _ours(self, offset: int) -> int:
        """The offset that a record of Kafka's has here."""
        return self._tail.skips.offset(offset + 1)

    def _known(self, lines: list[Line]) -> dict[str, tuple[bytes, int]]:
        """event_id -> (digest, our offset) of the events among the lines that are in the log already."""
        hashes = {
            self._keyring.hash(line.record.event_id): line.record.event_id
            for line in lines
            if isinstance(line.record, Event)
        }
        found = self._index.events(hashes)
        return {hashes[event]: (digest, self._ours(offset)) for event, (digest, offset) in found.items()}

    def _read_back(self, start: int, end: int, limit: int) -> list[tuple[int, Record]]:
        """Up to `limit` records from `start` and below `end`, from Kafka."""
        found = list[tuple[int, Record]]()
        with self._looking_back:
            self._check()
            follower = Follower(self._brokers, self._topic, start, self._ends)
            try:
                for messages in follower.to_end(end):
                    below = [message for message in messages if (message.offset() or 0) < end]
                    found += self._tail.readable(below, self._tail.opened(below))
                    if len(found) >= limit:
                        break
            finally:
                follower.close()
        return found[:limit]

    def _look_around(self) -> None:
        self._identity.check()
        self._letters.look()

    def _follower(self, topic: str) -> Follower:
        return Follower(self._brokers, topic, self._index.position(topic), self._ends)

    def _check(self) -> None:
        if self._closed:
            raise LogError(f"the log {self.where} is closed")
        self._tail.check()


def _settled(verdict: Verdict, offsets: list[int]) -> Verdict:
    """A verdict with the real offset in place of a place among the sent."""
    if verdict.offset is None or verdict.offset >= 0:
        return verdict
    return Verdict(offsets[-1 - verdict.offset], verdict.code)
