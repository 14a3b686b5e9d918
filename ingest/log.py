"""The durable log in one SQLite file that several processes of a machine share.

A record is in the log when `append` returns, and stays there through a crash: the file is in WAL mode with
synchronous=FULL. Threads that append at the same moment share one commit. Everything else (Neo4j, profiles, catalogue)
is a projection that reads the log from its own offset on.
"""

import sqlite3
from collections import deque
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from domain.errors import Backlog, LogDamaged, LogError
from domain.records import Event, Record, UserErased
from ingest import log_dead, log_file
from ingest.group_commit import Batch, GroupCommit, Line, judge, lines_of
from ingest.log_contract import MAX_DEAD, DeadLetter, Letter, Verdict
from ingest.log_erasure import erase, erased_among, erasures_of, has_erased, person_of, persons_in
from ingest.log_guard import Guard

_DECODER = msgspec.json.Decoder(Record)


class Log:
    """A DurableLog in one file.

    max_bytes: the file may not grow beyond this; None: as far as the disk goes.
    max_dead: so many rejected letters are kept.
    Raises (any method): LogDamaged when the file is no log or is broken, LogFull when there is no space,
        Backlog when other processes hold the file for longer than busy_s, LogReplaced when it is not the file that was
        opened, or lacks what was seen of it.
    """

    erasure = "gone now"

    def __init__(
        self, path: Path, *, max_bytes: int | None = None, busy_s: float = 10.0, max_dead: int = MAX_DEAD
    ) -> None:
        self.path = path
        self._busy_s = busy_s
        self._max_dead = max_dead
        self._group = GroupCommit(self._commit)
        self._readers: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._writer = log_file.open_writer(path, max_bytes=max_bytes, busy_s=busy_s)
        self._guard = Guard(path)
        with log_file.errors_of(path):
            self._tombstone_key = log_file.tombstone_key(self._writer)

    @property
    def where(self) -> str:
        return f"sqlite {self.path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._group.lock:
            self._closed = True
            self._writer.close()
            while self._readers:
                self._readers.pop().close()

    def append(self, records: Sequence[Record], *, server_timed: Collection[int] = ()) -> list[Verdict]:
        return self._group.append(lines_of(records, server_timed))

    def read(self, after: int, limit: int = 10_000) -> list[tuple[int, Record]]:
        with self._reading() as reader:
            rows = reader.execute(
                "SELECT offset, payload FROM log WHERE offset > ? ORDER BY offset LIMIT ?", (after, limit)
            ).fetchall()
        return [(offset, self._decode(offset, payload)) for offset, payload in rows]

    def last_offset(self) -> int:
        seen = self._guard.newest
        with self._reading() as reader:
            offset = log_file.last_offset(reader)
        self._guard.saw(offset, seen)
        return offset

    def skip_to(self, offset: int) -> bool:
        with self._group.lock, self._transaction():
            is_behind = log_file.last_offset(self._writer) < offset
            if is_behind:
                log_file.skip_to(self._writer, offset)
            return is_behind

    def bury(self, letters: Sequence[Letter]) -> None:
        with self._group.lock, self._transaction():
            people = {letter.user_id for letter in letters if letter.user_id is not None}
            erased = erased_among(self._writer, self._tombstone_key, people)
            log_dead.bury(self._writer, [letter for letter in letters if letter.user_id not in erased])
            log_dead.drop_oldest(self._writer, self._max_dead)

    def dead(self, limit: int = 100, *, waits_for: str | None = None) -> list[DeadLetter]:
        with self._reading() as reader:
            return log_dead.newest(reader, limit, waits_for)

    def awaited(self) -> set[str]:
        with self._reading() as reader:
            return log_dead.awaited(reader)

    def unbury(self, numbers: Collection[int]) -> None:
        with self._group.lock, self._transaction():
            log_dead.forget(self._writer, numbers)

    def dead_counts(self) -> dict[str, int]:
        with self._reading() as reader:
            return log_dead.counts(reader)

    def erase_user(self, user_id: str) -> int:
        """As in the contract. The deleted bytes are overwritten and the write-ahead file is cut to nothing.

        Raises: Backlog when readers keep the write-ahead file in use; the rows are gone, call again to cut it.
        """
        with self._group.lock:
            with self._transaction():
                erasures = erasures_of(erase(self._writer, self._tombstone_key, user_id), user_id)
                first = log_file.last_offset(self._writer) + 1
                self._insert(list(enumerate(lines_of(erasures, ()), first)))
            self._truncate_wal()
        return first + len(erasures) - 1

    def forget_erasures(self, up_to: int) -> None:
        with self._group.lock:
            with self._transaction():
                found = self._writer.execute("DELETE FROM log WHERE erases AND offset <= ?", (up_to,)).rowcount
            if found:
                self._truncate_wal()

    def is_erased(self, user_id: str) -> bool:
        return bool(self.erased_among({user_id}))

    def erased_among(self, user_ids: Collection[str]) -> set[str]:
        with self._reading() as reader:
            return erased_among(reader, self._tombstone_key, user_ids)

    def has_erased(self) -> bool:
        with self._reading() as reader:
            return has_erased(reader)

    def _commit(self, batches: list[Batch]) -> None:
        """One transaction for all batches."""
        seen = self._guard.newest
        with self._transaction():
            lines = [line for batch in batches for line in batch.lines]
            people = {person for line in lines for person in persons_in(line.record)}
            erased = erased_among(self._writer, self._tombstone_key, people)
            known = self._known(lines)
            offset, fresh = log_file.last_offset(self._writer), list[tuple[int, Line]]()
            self._guard.saw(offset, seen)
            for batch in batches:
                for line in batch.lines:
                    verdict = judge(line, erased, known, offset + 1)
                    batch.verdicts.append(verdict)
                    if verdict.code == "accepted":
                        offset += 1
                        fresh.append((offset, line))
            self._insert(fresh)
        self._guard.saw(offset, seen)

    def _known(self, lines: list[Line]) -> dict[str, tuple[bytes, int]]:
        """event_id -> (digest, offset) of the events among the lines that are in the log already."""
        ids = msgspec.json.encode([line.record.event_id for line in lines if isinstance(line.record, Event)]).decode()
        query = (
            "SELECT event_id, digest, offset FROM json_each(?) JOIN event_ids ON event_ids.event_id = json_each.value"
        )
        return {event_id: (digest, offset) for event_id, digest, offset in self._writer.execute(query, (ids,))}

    def _insert(self, fresh: list[tuple[int, Line]]) -> None:
        rows = [
            (offset, person_of(line.record), isinstance(line.record, UserErased), line.payload)
            for offset, line in fresh
        ]
        self._writer.executemany("INSERT INTO log (offset, user_id, erases, payload) VALUES (?, ?, ?, ?)", rows)
        ids = [(line.record.event_id, line.digest, offset) for offset, line in fresh if isinstance(line.record, Event)]
        self._writer.executemany("INSERT INTO event_ids VALUES (?, ?, ?)", sorted(ids))

    @contextmanager
    def _transaction(self) -> Generator[None]:
        """BEGIN IMMEDIATE and COMMIT around the block; nothing of it stays when it fails. Call with the lock held.

        What went into a file that is not the log any more is not acknowledged either.
        """
        if self._closed:
            raise LogError(f"the log {self.path} is closed")
        self._guard.check()
        with log_file.errors_of(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
        self._guard.check()

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
        self._guard.glance()
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
