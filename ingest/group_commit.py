"""Records on their way into a log: made ready by each thread, written together by one."""

import hashlib
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import msgspec

from domain.errors import LogError
from domain.records import Event, Record
from ingest.log_contract import Verdict

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True)
class Line:
    """A record ready to be written. digest: (16,) bytes of an event's content; None: not an event."""

    record: Record
    payload: bytes
    digest: bytes | None


@dataclass
class Batch:
    """What one thread appends. Afterwards `done`, with verdicts or an error."""

    lines: list[Line]
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    error: BaseException | None = None
    done: bool = False


class GroupCommit:
    """Threads that append at the same moment share one commit.

    commit: writes all batches and sets their verdicts; when it raises, no batch was written. One call at a time.
    lock: held around each commit; whoever writes otherwise holds it too.
    """

    def __init__(self, commit: Callable[[list[Batch]], None]) -> None:
        self.lock = threading.Lock()
        self._commit = commit
        self._arriving = threading.Lock()
        self._waiting: list[Batch] = []

    def append(self, lines: list[Line]) -> list[Verdict]:
        """Returns when the lines are written. Raises: what the commit raises."""
        if not lines:
            return []
        batch = Batch(lines)
        with self._arriving:
            self._waiting.append(batch)
        with self.lock:
            if not batch.done:  # nobody took it along: this thread leads, and takes along all that wait
                with self._arriving:
                    batches, self._waiting = self._waiting, []
                self._lead(batches)
        if batch.error is not None:
            raise batch.error
        return batch.verdicts

    def _lead(self, batches: list[Batch]) -> None:
        try:
            self._commit(batches)
        except BaseException as error:
            for batch in batches:
                batch.error = error
            if not isinstance(error, LogError):
                raise
        finally:
            for batch in batches:
                batch.done = True


def lines_of(records: Sequence[Record], server_timed: Collection[int]) -> list[Line]:
    """The records made ready. server_timed: places of events whose time does not belong to their content."""
    untimed = frozenset(server_timed)
    return [_line(record, timed=place not in untimed) for place, record in enumerate(records)]


def _line(record: Record, *, timed: bool) -> Line:
    payload = _ENCODER.encode(record)
    if not isinstance(record, Event):
        return Line(record, payload, None)
    content = payload if timed else _ENCODER.encode(msgspec.structs.replace(record, at=0))
    return Line(record, payload, hashlib.blake2b(content, digest_size=16).digest())
