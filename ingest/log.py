"""The durable log: every write after the bulk load, in one SQLite file that several processes share.

A record is in the log when `append` returns, and stays there through a crash: the file is in WAL mode with
synchronous=FULL. Threads that append at the same moment share one commit. Everything else (Neo4j, profiles, catalogue)
is a projection that reads the log from its own offset on.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec

from domain.errors import Backlog, LogDamaged, LogError
from domain.records import Event, Record, UserErased
from ingest import log_file
from ingest.log_erasure import erase, is_erased, person_of, persons_in

_DECODER = msgspec.json.Decoder(Record)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True)
class Verdict:
    """What became of one record.

    code: "accepted"; "duplicated" (this event id came before with the same content; offset is the first one's);
        "event_id_conflict" (it came before with other content); "erased_user" (the person was erased, and stays so).
    """

    offset: int | None
    code: str


@dataclass(frozen=True)
class DeadLetter:
    """A rejected event as it was sent. buried_at: milliseconds since 1970 UTC."""

    number: int
    buried_at: int
    code: str
    message: str
    payload: object


@dataclass(frozen=True)
class _Line:
    """A record ready to be written. digest: of an event's content; None: not an event."""

    record: Record
    payload: bytes
    digest: bytes | None


@dataclass
class _Batch:
    lines: list[_Line]
    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    error: BaseException | None = None
    done: bool = False


class Log:
    """The log in one file. Safe to use from many threads and many processes at once.

    max_bytes: the file may not grow beyond this; None: as far as the disk goes.
    Raises (any method): LogDamaged when the file is no log or is broken, LogFull when there is no space,
        Backlog when other processes hold the file for longer than busy_s.
    """

    def __init__(self, path: Path, *, max_bytes: int | None = None, busy_s: float = 10.0) -> None:
        self.path = path
        self._busy_s = busy_s
        self._writing = threading.Lock()
        self._arriving = threading.Lock()
        self._waiting: list[_Batch] = []
        self._readers: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._writer = log_file.open_writer(path, max_bytes=max_bytes, busy_s=busy_s)
        with log_file.errors_of(path):
            self._tombstone_key = log_file.tombstone_key(self._writer)

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection; a second call does nothing."""
        with self._writing:
            self._closed = True
            self._writer.close()
            while self._readers:
                self._readers.pop().close()

    def append(self, records: Sequence[Record], *, server_timed: Collection[int] = ()) -> list[Verdict]:
        """Writes the records in one durable transaction, and says what became of each: (len(records),) verdicts.

        server_timed: places of events whose `at` the server made up; it plays no part in telling a repetition from a
            conflict, so that a client may send an event without a time twice.
        """
        batch = _Batch([_line(record, timed=place not in server_timed) for place, record in enumerate(records)])
        if not batch.lines:
            return []
        with self._arriving:
            self._waiting.append(batch)
        with self._writing:
            if not batch.done:  # nobody took it along: this thread leads, and takes along all that wait
                with self._arriving:
                    batches, self._waiting = self._waiting, []
                self._commit(batches)
        if batch.error is not None:
            raise batch.error
        return batch.verdicts

    def read(self, after: int, limit: int = 10_000) -> list[tuple[int, Record]]:
        """Up to `limit` records with an offset above `after`, oldest first. Offsets rise and may have gaps."""
        with self._reading() as reader:
            rows = reader.execute(
                "SELECT offset, payload FROM log WHERE offset > ? ORDER BY offset LIMIT ?", (after, limit)
            ).fetchall()
        return [(offset, self._decode(offset, payload)) for offset, payload in rows]

    def last_offset(self) -> int:
        """The offset of the newest record ever written, 0 for none. Costs microseconds: ask on every request."""
        with self._reading() as reader:
            row = reader.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").fetchone()
        return row[0] if row else 0

    def bury(self, payload: object, code: str, message: str) -> None:
        """Keeps a rejected event (whatever JSON can say) with the reason. That of an erased person is not kept."""
        self.bury_all([(payload, code, message)])

    def bury_all(self, rejected: Sequence[tuple[object, str, str]]) -> None:
        """Keeps several (payload, code, message) in one transaction."""
        with self._writing, self._transaction():
            for payload, code, message in rejected:
                person = cast(dict[str, object], payload).get("user_id") if isinstance(payload, dict) else None
                user_id = str(person) if isinstance(person, str | int) else None
                if user_id is None or not is_erased(self._writer, self._tombstone_key, user_id):
                    self._writer.execute(
                        "INSERT INTO dead (buried_at, user_id, code, message, payload) VALUES (?, ?, ?, ?, ?)",
                        (int(time.time() * 1000), user_id, code, message, _ENCODER.encode(payload)),
                    )

    def dead(self, limit: int = 100) -> list[DeadLetter]:
        """The newest dead letters, newest first."""
        with self._reading() as reader:
            rows = reader.execute(
                "SELECT number, buried_at, code, message, payload FROM dead ORDER BY number DESC LIMIT ?", (limit,)
            ).fetchall()
        return [DeadLetter(*row[:4], payload=msgspec.json.decode(row[4])) for row in rows]

    def erase_user(self, user_id: str) -> int:
        """Deletes what the log holds of a person and refuses them from now on. Returns the UserErased record's offset.

        The deleted bytes are overwritten and the write-ahead file is cut to nothing. What stays: a keyed hash of
        the id, and the UserErased record that tells the projections, until `forget_erasures`. Twice equals once.

        Raises: Backlog when readers keep the write-ahead file in use; the rows are gone, call again to cut it.
        """
        with self._writing:
            with self._transaction():
                erase(self._writer, self._tombstone_key, user_id)
                offset = self._insert(_line(UserErased(user_id=user_id), timed=True))
            self._truncate_wal()
        return offset

    def forget_erasures(self, up_to: int) -> None:
        """Deletes the UserErased records at or below an offset that every projection and model has passed."""
        with self._writing:
            with self._transaction():
                self._writer.execute("DELETE FROM log WHERE erases AND offset <= ?", (up_to,))
            self._truncate_wal()

    def is_erased(self, user_id: str) -> bool:
        with self._reading() as reader:
            return is_erased(reader, self._tombstone_key, user_id)

    def _commit(self, batches: list[_Batch]) -> None:
        """One transaction for all batches. Every batch is done afterwards, with its verdicts or with the error."""
        try:
            with self._transaction():
                for batch in batches:
                    batch.verdicts = [self._judge(line) for line in batch.lines]
        except BaseException as error:
            for batch in batches:
                batch.error = error
            if not isinstance(error, LogError):
                raise
        finally:
            for batch in batches:
                batch.done = True

    def _judge(self, line: _Line) -> Verdict:
        """Inserts the record unless it is a repetition, a conflict or about an erased person."""
        if any(is_erased(self._writer, self._tombstone_key, person) for person in persons_in(line.record)):
            return Verdict(None, "erased_user")
        if line.digest is None or not isinstance(line.record, Event):
            return Verdict(self._insert(line), "accepted")
        event_id = line.record.event_id
        known = self._writer.execute("SELECT digest, offset FROM event_ids WHERE event_id = ?", (event_id,)).fetchone()
        if known is not None:
            return Verdict(known[1], "duplicated") if known[0] == line.digest else Verdict(None, "event_id_conflict")
        offset = self._insert(line)
        self._writer.execute("INSERT INTO event_ids VALUES (?, ?, ?)", (event_id, line.digest, offset))
        return Verdict(offset, "accepted")

    def _insert(self, line: _Line) -> int:
        cursor = self._writer.execute(
            "INSERT INTO log (user_id, erases, payload) VALUES (?, ?, ?)",
            (person_of(line.record), isinstance(line.record, UserErased), line.payload),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """BEGIN IMMEDIATE and COMMIT around the block; nothing of it stays when it fails. Call with _writing held."""
        if self._closed:
            raise LogError(f"the log {self.path} is closed")
        with log_file.errors_of(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def _truncate_wal(self) -> None:
        with log_file.errors_of(self.path):
            busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Backlog(f"the rows are deleted, but {self.path}-wal is in use and keeps old pages; erase once more")

    def _decode(self, offset: int, payload: bytes) -> Record:
        try:
            return _DECODER.decode(payload)
        except msgspec.DecodeError as error:
            raise LogDamaged(f"record {offset} of {self.path} cannot be read ({error}); restore the file") from error

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        """A connection of its own for as long as the block lasts; connections are kept for the next reader."""
        with log_file.errors_of(self.path):
            try:
                reader = self._readers.pop()
            except IndexError:
                if self._closed:
                    raise LogError(f"the log {self.path} is closed") from None
                reader = log_file.connect(self.path, busy_s=self._busy_s)
            try:
                yield reader
            finally:
                self._readers.append(reader)


def _line(record: Record, *, timed: bool) -> _Line:
    payload = _ENCODER.encode(record)
    if not isinstance(record, Event):
        return _Line(record, payload, None)
    content = payload if timed else _ENCODER.encode(msgspec.structs.replace(record, at=0))
    return _Line(record, payload, log_file.digest(content))
