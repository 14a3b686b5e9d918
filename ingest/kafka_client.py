"""Topics of one partition: made, written to, and followed. Everything that speaks to Kafka goes through here."""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from domain.errors import InvalidSettings, LogReplaced, LogUnavailable

TIMEOUT_S = 5.0
DOWN_S = 1.0  # after a failure appends fail at once for so long, so that requests do not queue up behind a dead broker
DAY_MS = str(86_400_000)
QUIET = {"log_level": 2}
KEPT = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": DAY_MS,
    "max.compaction.lag.ms": DAY_MS,
    "delete.retention.ms": DAY_MS,
}
PASSING = ("_ALL_BROKERS_DOWN", "_TRANSPORT", "_RESOLVE", "_TIMED_OUT")  # the client tries again by itself
YOUNG = ("UNKNOWN_TOPIC_OR_PART", "LEADER_NOT_AVAILABLE", "NOT_LEADER_FOR_PARTITION", "_UNKNOWN_PARTITION")
QUEUE_FULL = -184  # librdkafka's own number


Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Outgoing:
    """A message. value: None deletes the key from a compacted topic."""

    topic: str
    key: bytes | None
    value: bytes | None


@contextmanager
def errors_of(brokers: str) -> Generator[None]:
    """Turns Kafka's errors inside the block into LogUnavailable."""
    try:
        yield
    except KafkaException as error:
        raise LogUnavailable(f"Kafka at {brokers} does not answer ({error.args[0]}); nothing was promised") from error


def replaced(brokers: str, topic: str) -> LogReplaced:
    """Nothing may go into such a topic: what is sealed with the keys of the old one, nobody could read in it."""
    return LogReplaced(
        f"the topic {topic} of Kafka at {brokers} was made anew, or an older copy of it was restored; nothing is taken "
        "until it is started again: restart `clew serve` (should it say this once more, without CLEW_HOME/log/kafka), "
        "and send again what Neo4j does not hold (the same event_id counts once)"
    )


def ensure_topics(brokers: str, wanted: dict[str, dict[str, str]]) -> dict[str, str]:
    """Makes topics that are missing: one partition, as many replicas as there are brokers up to 3. Their ids by name.

    wanted: topic -> its configuration. Raises: LogUnavailable; InvalidSettings for one with several partitions.
    """
    with errors_of(brokers):
        admin = _admin(brokers)
        seen = admin.list_topics(timeout=TIMEOUT_S)
        missing = [
            NewTopic(name, 1, min(3, len(seen.brokers)), config=_durable(config, len(seen.brokers)))
            for name, config in wanted.items()
            if name not in seen.topics
        ]
        if missing:
            for future in admin.create_topics(missing, operation_timeout=TIMEOUT_S).values():
                _made(future)
        topics = _patiently(lambda: _described(admin, list(wanted)))
    for name, topic in topics.items():
        if len(topic.partitions) != 1:
            why = (
                f"the topic {name} has {len(topic.partitions)} partitions; Clew's log has one, so that it has one order"
            )
            raise InvalidSettings(f"{why}. Name another topic", field="CLEW_EVENTS")
    return {name: str(topic.topic_id) for name, topic in topics.items()}


class Identity:
    """Whether the topics are those that were opened: one that was deleted and made again has another id.

    ids: by name, as ensure_topics told them.
    """

    def __init__(self, brokers: str, ids: dict[str, str]) -> None:
        self._brokers = brokers
        self._ids = ids
        self._admin = _admin(brokers)

    def check(self) -> None:
        """Asks Kafka. Raises: LogReplaced; LogUnavailable, also for a topic that is not there."""
        with errors_of(self._brokers):
            found = _described(self._admin, list(self._ids))
        for name, topic in found.items():
            if str(topic.topic_id) != self._ids[name]:
                raise replaced(self._brokers, name)


def _admin(brokers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": brokers, "socket.timeout.ms": int(TIMEOUT_S * 1000), **QUIET})


def _described(admin: AdminClient, names: list[str]) -> dict[str, Any]:
    found = admin.describe_topics(TopicCollection(names), request_timeout=TIMEOUT_S)
    return {name: future.result() for name, future in found.items()}


def _patiently(ask: Callable[[], Answer]) -> Answer:
    """The answer, asked for again while a topic that was just made is not known everywhere."""
    give_up_at = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].name() not in YOUNG or time.monotonic() > give_up_at:
                raise
            time.sleep(0.05)


def _durable(config: dict[str, str], brokers: int) -> dict[str, str]:
    """With one broker each message goes to its disk; with three or more, to two of them before it is acknowledged."""
    return config | ({"flush.messages": "1"} if brokers == 1 else {"min.insync.replicas": "2"} if brokers > 2 else {})


def _made(future: object) -> None:
    try:
        future.result()  # type: ignore[attr-defined]  # a Future[None] that the package does not type
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:  # another process was quicker
            raise


class Sender:
    """Sends, and returns when every message is on the brokers' disks. One call at a time."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._lock = threading.Lock()
        self._producer = self._new()
        self._down_until = 0.0

    def send(self, messages: Sequence[Outgoing]) -> list[int]:
        """Their offsets in their topics. Raises: LogUnavailable; some may have arrived all the same."""
        with self._lock:
            if time.monotonic() < self._down_until:
                raise LogUnavailable(f"Kafka at {self._brokers} did not answer a moment ago; try again")
            offsets, errors = self._deliver(messages)
            if errors:
                self._down_until = time.monotonic() + DOWN_S
                if any(error.fatal() for error in errors):
                    self._producer = self._new()
                raise LogUnavailable(
                    f"Kafka at {self._brokers} did not take {len(errors)} of {len(messages)} records ({errors[0]}); "
                    "send them again"
                )
            return offsets

    def close(self) -> None:
        self._producer.flush(TIMEOUT_S)

    def _deliver(self, messages: Sequence[Outgoing]) -> tuple[list[int], list[KafkaError]]:
        offsets, errors, arrived = [-1] * len(messages), list[KafkaError](), 0

        def note(place: int, error: KafkaError | None, message: Message) -> None:
            nonlocal arrived
            arrived += 1
            if error is not None:
                errors.append(error)
            else:
                offsets[place] = message.offset() or 0

        try:
            for place, one in enumerate(messages):
                self._producer.produce(
                    one.topic,
                    value=one.value,
                    key=one.key,
                    partition=0,
                    on_delivery=lambda error, message, place=place: note(place, error, message),
                )
        except KafkaException as error:
            errors.append(error.args[0])
            arrived += 1
        except BufferError:
            errors.append(KafkaError(QUEUE_FULL))
        while arrived < len(messages) and len(self._producer):
            self._producer.flush(TIMEOUT_S)  # now, without lingering
        return offsets, errors

    def _new(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._brokers,
                "acks": "all",
                "enable.idempotence": True,
                "linger.ms": 100,  # so that one call's messages go together; flushing ends the wait
                "delivery.timeout.ms": int(TIMEOUT_S * 1000),
                "queue.buffering.max.messages": 1_000_000,
                "reconnect.backoff.max.ms": 1000,
                **QUIET,
            }
        )


class Ends:
    """Asks where topics end. By a connection of its own: on a follower's, the question would wait behind its fetch."""

    def __init__(self, brokers: str) -> None:
        self._brokers = brokers
        self._consumer = Consumer(_consuming(brokers))
        self._lock = threading.Lock()

    def of(self, topic: str) -> int:
        """The offset that the next message of the topic will get. Raises: LogUnavailable."""
        with self._lock, errors_of(self._brokers):
            place = TopicPartition(topic, 0)
            _, high = _patiently(lambda: self._consumer.get_watermark_offsets(place, timeout=TIMEOUT_S))
        return high

    def close(self) -> None:
        self._consumer.close()


class Follower:
    """Reads a topic from a place on. position: the next offset. Used by one thread at a time."""

    def __init__(self, brokers: str, topic: str, position: int, ends: Ends) -> None:
        self._brokers = brokers
        self._topic = topic
        self._ends = ends
        self._consumer = Consumer(_consuming(brokers))
        self.seek(position)

    def seek(self, position: int) -> None:
        self.position = position
        self._consumer.assign([TopicPartition(self._topic, 0, position)])

    def consume(self, most: int, timeout_s: float) -> list[Message]:
        """What has arrived, after waiting for the first; perhaps nothing.

        Raises: LogUnavailable; LogReplaced when the topic goes on before the position, where it was made anew.
        """
        arrived = list[Message]()
        with errors_of(self._brokers):
            first = self._consumer.poll(timeout_s)
            for message in [] if first is None else [first, *self._consumer.consume(most - 1, 0)]:
                error, offset = message.error(), message.offset() or 0
                is_end = error is not None and error.name() == "_PARTITION_EOF"
                if (error is None or is_end) and offset < self.position:
                    raise replaced(self._brokers, self._topic)
                if error is None:
                    arrived.append(message)
                    self.position = offset + 1
                elif is_end:
                    self.position = offset
                elif not error.retriable() and error.name() not in PASSING:
                    raise KafkaException(error)
        return arrived

    def to_end(self, end: int | None = None) -> Iterator[list[Message]]:
        """Everything up to an end, else up to the present one, in pieces. Raises: LogUnavailable, LogReplaced."""
        if end is None:
            end = self._ends.of(self._topic)
            if end < self.position:
                raise replaced(self._brokers, self._topic)
        give_up_at = time.monotonic() + TIMEOUT_S
        while self.position < end:
            messages = self.consume(10_000, 0.05)
            if messages:
                give_up_at = time.monotonic() + TIMEOUT_S
                yield messages
            elif time.monotonic() > give_up_at:
                raise LogUnavailable(f"Kafka at {self._brokers} stopped sending {self._topic} at {self.position}")

    def close(self) -> None:
        self._consumer.close()


def _consuming(brokers: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": brokers,
        "group.id": "clew",  # asked for, and not used: partitions are assigned and nothing is committed
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
        "fetch.error.backoff.ms": 50,
        "fetch.wait.max.ms": 100,
        "reconnect.backoff.max.ms": 1000,
        **QUIET,
    }
