"""What erasures found, without telling whose it was: a small SQLite file, by a keyed hash of each person's id."""

import hashlib
import secrets
import sqlite3
import threading
from pathlib import Path

import msgspec

from ingest import log_file

_TABLES = """
CREATE TABLE IF NOT EXISTS receipts (digest BLOB PRIMARY KEY, note BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class ErasureNote(msgspec.Struct, frozen=True):
    """at: milliseconds since 1970 UTC, of the first erasure. offset: of the newest one's record in the log.

    removed: how much each store held, over all erasures of the person.
    """

    at: int
    offset: int
    removed: dict[str, int]


class Receipts:
    """Safe to share between threads, and the file between processes. path: None keeps them in memory only.

    Raises (any method): LogError when the file cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path or Path("receipts")
        self._lock = threading.Lock()
        with log_file.errors_of(self._path):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
            self._file.executescript(_TABLES)
            self._file.execute("INSERT OR IGNORE INTO secrets VALUES ('receipts', ?)", (secrets.token_bytes(32),))
            (self._key,) = self._file.execute("SELECT value FROM secrets").fetchone()

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def find(self, user_id: str) -> ErasureNote | None:
        with self._lock, log_file.errors_of(self._path):
            row = self._file.execute("SELECT note FROM receipts WHERE digest = ?", (self._digest(user_id),)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=ErasureNote)

    def newest_offset(self) -> int:
        """The highest offset of an erasure's record, 0 for none: a log that ends before it does not know of it."""
        with self._lock, log_file.errors_of(self._path):
            rows = self._file.execute("SELECT note FROM receipts").fetchall()
        return max((msgspec.json.decode(note, type=ErasureNote).offset for (note,) in rows), default=0)

    def write(self, user_id: str, note: ErasureNote) -> None:
        with self._lock, log_file.errors_of(self._path):
            values = (self._digest(user_id), msgspec.json.encode(note))
            self._file.execute("INSERT OR REPLACE INTO receipts VALUES (?, ?)", values)

    def _digest(self, user_id: str) -> bytes:
        return hashlib.blake2b(user_id.encode(), key=self._key, digest_size=16).digest()
