"""The thread of each process that reads a log on Kafka as it grows, and keeps the index and the newest records."""

import logging
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence

from confluent_kafka import Message

from domain.errors import ClewError, LogError, LogUnavailable
from domain.records import Event, Record, UserErased, UserMerged
from ingest.group_commit import Line
from ingest.kafka_client import Follower
from ingest.kafka_index import KafkaIndex
from ingest.kafka_keys import Keyring
from ingest.kafka_seal import Sealer, is_farewell, key_id_of
from ingest.kafka_skips import Skips, skips_in

MOST_KEPT = 50_000
BATCH = 5_000
POLL_S = 0.2
AGAIN_S = 0.5
LOOK_S = 5.0
LEVEL_S = 0.05  # how long a reader waits to know what another process of this machine knows
LEVEL_AGAIN_S = 1.0
logger = logging.getLogger("clew.log")


class Tail:
    """position: every record below it is in the index, and readable here. Offsets are Kafka's, from 0.

    topic: of the records. on_erased: called with the hash of each person who was erased, as often as that is read.
    look_around: called every few seconds; it may raise LogUnavailable, and LogReplaced.
    skips: between Kafka's offsets and ours, as far as everything is known.
    After `start` one thread reads; any number asks.
    """

    def __init__(
        self,
        topic: str,
        index: KafkaIndex,
        sealer: Sealer,
        keyring: Keyring,
        follower: Follower,
        on_erased: Callable[[bytes], None],
        look_around: Callable[[], None],
    ) -> None:
        self._topic = topic
        self._on_erased = on_erased
        self._look_around = look_around
        self._looked_at = time.monotonic()
        self._index = index
        self._sealer = sealer
        self._keyring = keyring
        self._follower = follower
        self.skips = Skips(index.skips())
        self.position = follower.position
        self._kept: list[tuple[int, Record]] = []
        self._kept_from = follower.position
        self._moved = threading.Condition()
        self._level_again_at = 0.0
        self._stop = threading.Event()
        self._error: LogError | None = None
        self._thread = threading.Thread(target=self._run, name="log-tail", daemon=True)

    def start(self) -> None:
        """Reads what is there already, and goes on in a thread. Raises: LogUnavailable, LogError."""
        for messages in self._follower.to_end():
            self._take(messages)
        self._settle()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def check(self) -> None:
        """Raises: the error for which it was given up."""
        if self._error is not None:
            raise self._error

    def give_up(self, error: LogError) -> None:
        """From now on, every question is answered by the error."""
        logger.error("the log can be followed no further: %s", error.message)
        with self._moved:
            self._error = error
            self._moved.notify_all()

    def wait_for(self, position: int, timeout_s: float) -> None:
        """Until everything below the position is readable here; returns without it when that takes too long."""
        with self._moved:
            self._moved.wait_for(lambda: self.position >= position or self._error is not None, timeout_s)

    def level(self) -> int:
        """The position, once it is that of every process of this machine; they share the index. Waits LEVEL_S at most.

        An event that one of them acknowledged is thus in what the others read next. One that lags behind for long, as
        while it has lost Kafka, waits once a second.
        """
        reached = self._index.reached(self._topic)
        if reached > self.position and time.monotonic() >= self._level_again_at:
            self.wait_for(reached, LEVEL_S)
            if reached > self.position:
                self._level_again_at = time.monotonic() + LEVEL_AGAIN_S
        return self.position

    def newest(self, start: int, end: int, limit: int) -> list[tuple[int, Record]] | None:
        """Up to `limit` records from `start` and below `end`; None when they go further back than is kept."""
        with self._moved:
            if start < self._kept_from:
                return None
            first = bisect_right(self._kept, start - 1, key=lambda entry: entry[0])
            return [entry for entry in self._kept[first : first + limit] if entry[0] < end]

    def forget_kept(self) -> None:
        """Has the newest records read from Kafka once more."""
        with self._moved:
            self._kept, self._kept_from = [], self.position

    def opened(self, messages: Sequence[Message]) -> list[Line | None]:
        """What the messages hold; None where nobody can read it."""
        return self._sealer.open([message.value() or b"" for message in messages])

    def readable(self, messages: Sequence[Message], opened: Sequence[Line | None]) -> list[tuple[int, Record]]:
        """The records among the messages that count: not repeated, and of nobody who was erased."""
        erased = self._index.erased({name for message in messages if (name := message.key()) is not None})
        found = [
            (message.offset() or 0, line.record)
            for message, line in zip(messages, opened, strict=True)
            if line is not None and (message.key() not in erased or isinstance(line.record, UserErased))
        ]
        hashes = {offset: self._keyring.hash(record.event_id) for offset, record in found if isinstance(record, Event)}
        first = self._index.events(set(hashes.values()))
        return [
            (offset, record)
            for offset, record in found
            if offset not in hashes or first.get(hashes[offset], (b"", offset))[1] == offset
        ]

    def _run(self) -> None:
        well = True
        while self._error is None and not self._stop.is_set():
            try:
                messages = self._follower.consume(BATCH, POLL_S)
                if messages:
                    self._take(messages)
                if time.monotonic() - self._looked_at > LOOK_S:
                    self._look_around()
                    self._looked_at = time.monotonic()
                self._settle()
                well = True
            except LogUnavailable as error:
                if well:
                    logger.warning("%s", error.message)
                well = False
                self._follower.seek(self.position)
                self._stop.wait(AGAIN_S)
            except ClewError as error:
                self.give_up(error if isinstance(error, LogError) else LogError(error.message))

    def _take(self, messages: Sequence[Message]) -> None:
        """Messages into the index, then among the newest records. Done again, it changes nothing."""
        opened = self.opened(messages)
        farewells = [message for message in messages if is_farewell(message.value() or b"")]
        if self._index.reached(self._topic) < self._follower.position:  # else another process of this machine was here
            self._note(messages, opened, is_all=not farewells)
        for message in farewells:
            self._erase(message.key() or b"", key_id_of(message.value() or b""), message.offset() or 0)
        if farewells:  # only now: a process killed before this reads of the erasures again
            self._index.advance(self._topic, self._follower.position)
        for skip in skips_in(messages):
            self.skips.note(*skip)
        found = self.readable(messages, opened)
        with self._moved:
            self._kept += found
            if farewells:  # what is kept may be of the person, or name them; what lies in Kafka no longer does
                self._kept, self._kept_from = [], self._follower.position
            elif len(self._kept) > 2 * MOST_KEPT:
                self._kept = self._kept[-MOST_KEPT:]
                self._kept_from = self._kept[0][0]

    def _note(self, messages: Sequence[Message], opened: Sequence[Line | None], *, is_all: bool) -> None:
        """The messages into the index; is_all: with that, everything about them is in there."""
        with self._index.transaction():
            self._index.add_events(
                (self._keyring.hash(line.record.event_id), line.digest or b"", message.offset() or 0)
                for message, line in zip(messages, opened, strict=True)
                if line is not None and isinstance(line.record, Event)
            )
            for message, line in zip(messages, opened, strict=True):
                if line is not None and isinstance(line.record, UserMerged):
                    self._index.add_merged(message.key() or b"", self._keyring.hash(line.record.from_id))
            self._index.add_skips(skips_in(messages))
            if is_all:
                self._index.advance(self._topic, self._follower.position)

    def _erase(self, person: bytes, farewell: bytes, offset: int) -> None:
        """Destroys the keys of a person, and of every visitor who turned out to be them."""
        people = {person, *self._index.visitors(person)}
        with self._index.transaction():
            for one in people:
                self._index.add_erased(one)
            self._index.set_farewell(farewell, offset + 1)
        doomed = [
            key
            for one in people
            for key in self._index.keys_of(one)
            if key.key_id != farewell and (one == person or key.farewell is None)
        ]
        if doomed:
            self._keyring.destroy(doomed)
        for one in people:
            self._on_erased(one)

    def _settle(self) -> None:
        with self._moved:
            self.position = self._follower.position
            self._moved.notify_all()
