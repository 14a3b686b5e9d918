"""The ledger's SQLite file: which processes of a machine share, and which is bounded in age and in size.

An answer is lost when the machine fails within moments of it: the file is in WAL mode with synchronous=NORMAL. What is
deleted is overwritten.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from domain.errors import LedgerError
from recommend.answer_ids import first_id_at

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    user_id TEXT,
    shown TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_user ON answers (user_id, id) WHERE user_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS gone (up_to BLOB NOT NULL);
"""
_BUSY_S = 10.0
_ROOM_LEFT = 0.05  # of the size bound, when old answers make room
_AT_ONCE = 1_000  # answers deleted in one transaction


@dataclass(frozen=True)
class Row:
    """One answer. id: 16 bytes. shown: item ids in their order."""

    id: bytes
    user_id: str | None
    shown: tuple[str, ...]
    payload: bytes


class LedgerFile:
    """Safe to share between threads. Raises (any method): LedgerError when the file cannot be used.

    max_bytes: beyond this, the oldest answers go.
    """

    def __init__(self, path: Path, *, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # it holds personal data
            self._file = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            for name, value in (("journal_mode", "WAL"), ("synchronous", "NORMAL"), ("secure_delete", "ON")):
                self._file.execute(f"PRAGMA {name} = {value}")
            self._file.executescript("BEGIN IMMEDIATE;" + _TABLES + "COMMIT;")

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def write(self, rows: Sequence[Row], erased: Callable[[], Collection[str]]) -> int:
        """Keeps the answers that are not to erased people. Returns how many.

        erased: asked while nobody else may write, so that whoever is erased later finds the rows.
        """
        with self._transaction():
            gone = erased()
            kept = [row for row in rows if row.user_id not in gone]
            self._file.executemany(
                "INSERT OR IGNORE INTO answers (id, user_id, shown, payload) VALUES (?, ?, ?, ?)",
                [(row.id, row.user_id, msgspec.json.encode(row.shown).decode(), row.payload) for row in kept],
            )
        return len(kept)

    def find(self, answer_id: bytes) -> Row | None:
        rows = self._rows("WHERE id = ?", (answer_id,))
        return rows[0] if rows else None

    def newest(self, limit: int, user_id: str | None = None) -> list[Row]:
        """The newest answers, newest first; with user_id, those to one user."""
        where, values = ("WHERE user_id = ?", (user_id,)) if user_id is not None else ("", ())
        return self._rows(f"{where} ORDER BY id DESC LIMIT ?", (*values, limit))

    def newest_with(self, user_id: str, item_id: str, before: bytes) -> Row | None:
        """The newest answer to a user with an id below `before` that showed the item."""
        shows = "EXISTS (SELECT 1 FROM json_each(shown) WHERE value = ?)"
        rows = self._rows(
            f"WHERE user_id = ? AND id < ? AND {shows} ORDER BY id DESC LIMIT 1",
            (user_id, before, item_id),
        )
        return rows[0] if rows else None

    def gone_up_to(self) -> bytes:
        """All answers with an id below this were deleted for age or space; b"" for none."""
        with self._errors(), self._lock:
            return self._file.execute("SELECT max(up_to) FROM gone").fetchone()[0] or b""

    def forget(self, user_id: str) -> int:
        """Deletes the answers to a person, and cuts the write-ahead file. Returns how many they were.

        Raises: LedgerError when readers keep the write-ahead file in use; the rows are gone, call again to cut it.
        """
        with self._transaction():
            found = self._file.execute("DELETE FROM answers WHERE user_id = ?", (user_id,)).rowcount
        with self._errors(), self._lock:
            busy, _, _ = self._file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise LedgerError(f"the rows are deleted, but {self.path}-wal is in use and keeps old pages; try once more")
        return found

    def trim(self, oldest_ms: int) -> int:
        """Deletes answers given before a time, then the oldest until the rest fits. Returns how many."""
        found = self._delete_below(first_id_at(max(oldest_ms, 0)))
        if self.bytes_used() > self._max_bytes:
            wanted = self._max_bytes * (1 - _ROOM_LEFT)
            while (used := self.bytes_used()) > wanted and (many := self.count()) > 0:
                least = max(1, min(_AT_ONCE, int(many * (used - wanted) / used)))
                newest_to_go = self._rows("ORDER BY id LIMIT 1 OFFSET ?", (least - 1,))
                found += self._delete_below(_after(newest_to_go[0].id)) if newest_to_go else 0
        return found

    def bytes_used(self) -> int:
        """What the answers take of the file, without pages that are free again."""
        with self._errors(), self._lock:
            values = [self._file.execute(f"PRAGMA {name}").fetchone()[0] for name in _SIZES]
        return (values[0] - values[1]) * values[2]

    def count(self) -> int:
        """How many answers are kept."""
        with self._errors(), self._lock:
            return self._file.execute("SELECT count(*) FROM answers").fetchone()[0]

    def _delete_below(self, up_to: bytes) -> int:
        with self._errors(), self._lock:
            if self._file.execute("SELECT 1 FROM answers WHERE id < ? LIMIT 1", (up_to,)).fetchone() is None:
                return 0
        with self._transaction():
            self._file.execute("INSERT INTO gone SELECT ? WHERE NOT EXISTS (SELECT 1 FROM gone)", (up_to,))
            self._file.execute("UPDATE gone SET up_to = max(up_to, ?)", (up_to,))
            return self._file.execute("DELETE FROM answers WHERE id < ?", (up_to,)).rowcount

    def _rows(self, rest: str, values: Sequence[object]) -> list[Row]:
        with self._errors(), self._lock:
            query = f"SELECT id, user_id, shown, payload FROM answers {rest}"  # noqa: S608 the texts above
            found = self._file.execute(query, values).fetchall()
        return [Row(one[0], one[1], tuple(msgspec.json.decode(one[2])), one[3]) for one in found]

    @contextmanager
    def _transaction(self) -> Generator[None]:
        with self._errors(), self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Generator[None]:
        """Turns SQLite's errors inside the block into LedgerError."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"the ledger {self.path} failed ({error}); lists are served without it. Free some space, or move the "
                "file away: a new one is made"
            ) from error


_SIZES = ("page_count", "freelist_count", "page_size")


def _after(answer_id: bytes) -> bytes:
    """The least id above this one."""
    return (int.from_bytes(answer_id) + 1).to_bytes(16)
