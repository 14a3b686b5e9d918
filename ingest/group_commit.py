"""Records on their way into a log: made ready by each thread, written together by one."""

import hashlib
import threading
from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, field

import msgspec

from domain.errors import LogError
from domain.records import Event, Record
from ingest.log_contract import Verdict
from ingest.log_erasure import persons_in

_ENCODER = msgspec.json.Encoder()


class Line(msgspec.Struct, frozen=True, gc=False):
    """A record ready to be written. digest: (16,) bytes of an event's content; None: not an event.

    timed: False for an event whose time the server made up, which then is no part of its content.
    """

    record: Record
    payload: bytes
    digest: bytes | None
    timed: bool = True


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
    return [line_of(record, timed=place not in untimed) for place, record in enumerate(records)]


def judge(line: Line, erased: Set[str], known: dict[str, tuple[bytes, int]], offset: int) -> Verdict:
    """What becomes of a line that would get this offset. An accepted event becomes known."""
    if erased and not erased.isdisjoint(persons_in(line.record)):
        return Verdict(None, "erased_user")
    if line.digest is None or not isinstance(line.record, Event):
        return Verdict(offset, "accepted")
    before = known.get(line.record.event_id)
    if before is not None:
        return Verdict(before[1], "duplicated") if before[0] == line.digest else Verdict(None, "event_id_conflict")
    known[line.record.event_id] = (line.digest, offset)
    return Verdict(offset, "accepted")


def line_of(record: Record, *, timed: bool) -> Line:
    payload = _ENCODER.encode(record)
    if not isinstance(record, Event):
        return Line(record, payload, None)
    content = payload if timed else _ENCODER.encode(msgspec.structs.replace(record, at=0))
    return Line(record, payload, hashlib.blake2b(content, digest_size=16).digest(), timed)
