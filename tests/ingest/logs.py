"""Logs for tests: where one is, how it is opened from any process, and what goes into it."""

from dataclasses import dataclass
from pathlib import Path

from domain.records import Event
from ingest.kafka_address import KafkaAddress
from ingest.log import Log
from ingest.log_contract import MAX_DEAD, DurableLog, Letter


@dataclass(frozen=True)
class Place:
    """A log that may be opened many times. brokers: None for SQLite."""

    folder: Path
    brokers: str | None = None
    topic: str = ""

    def open(self, *, max_dead: int = MAX_DEAD) -> DurableLog:
        if self.brokers is None:
            return Log(self.folder / "events.sqlite", max_dead=max_dead)
        from ingest.kafka_log import KafkaLog

        return KafkaLog(KafkaAddress(self.brokers, self.topic), self.folder, max_dead=max_dead)

    def text(self) -> str:
        """For another process, which reads it with `parse`."""
        return "|".join([str(self.folder), self.brokers or "", self.topic])

    @classmethod
    def parse(cls, text: str) -> "Place":
        folder, brokers, topic = text.split("|")
        return cls(Path(folder), brokers or None, topic)


def event(event_id: str, user_id: str = "ann", *, item_id: str = "a", at: int = 1000) -> Event:
    return Event(event_id=event_id, user_id=user_id, item_id=item_id, kind="view", at=at)


def bury(log: DurableLog, payload: object, code: str, message: str, waits_for: str | None = None) -> None:
    log.bury([Letter(payload=payload, code=code, message=message, waits_for=waits_for)])
