"""The log's SQLite file: how it is opened, its tables, and what SQLite's errors mean."""

import os
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Backlog, LogDamaged, LogError, LogFull

_TABLES = """
CREATE TABLE IF NOT EXISTS log (
    offset INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT,
    erases INTEGER NOT NULL,
    payload BLOB NOT NULL
);
DROP INDEX IF EXISTS log_user;  -- these two: of Clew 0.1
DROP INDEX IF EXISTS event_offset;
CREATE INDEX IF NOT EXISTS log_erases ON log (offset) WHERE erases;
CREATE TABLE IF NOT EXISTS event_ids (event_id TEXT PRIMARY KEY, digest BLOB NOT NULL, offset INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    buried_at INTEGER NOT NULL,
    user_id TEXT,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    payload BLOB NOT NULL,
    waits_for TEXT
);
CREATE INDEX IF NOT EXISTS dead_user ON dead (user_id) WHERE user_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstones (digest BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
CACHE_KIB = 8_192  # pages of the indexes; the rest stays in the cache of the operating system
READER_KIB = 512  # of each connection that reads: new rows mostly, each once
PAGE_BYTES = 1024  # an event dirties one page of event_ids: with 4096, 6.8 kB an event go to disk instead of 3.1
CHECKPOINT_PAGES = 40_000  # 40 MB: a page that many batches touch is copied into the file once
_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def open_writer(path: Path, *, max_bytes: int | None, busy_s: float) -> sqlite3.Connection:
    """The connection that writes. Makes the file (mode 0600: it holds personal data) and its tables when missing."""
    with errors_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        writer = connect(path, busy_s=busy_s)
        writer.execute("PRAGMA secure_delete = ON")
        writer.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        writer.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        if max_bytes is not None:
            (page_size,) = writer.execute("PRAGMA page_size").fetchone()
            writer.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page_size)}")
        writer.executescript("BEGIN IMMEDIATE;" + _TABLES + "COMMIT;")
        _add_waits_for(writer)
    return writer


def _add_waits_for(writer: sqlite3.Connection) -> None:
    """A file of Clew 0.1 lacks the column."""
    writer.execute("BEGIN IMMEDIATE")
    if "waits_for" not in [row[1] for row in writer.execute("PRAGMA table_info(dead)")]:
        writer.execute("ALTER TABLE dead ADD COLUMN waits_for TEXT")
    writer.execute("CREATE INDEX IF NOT EXISTS dead_waits ON dead (waits_for) WHERE waits_for IS NOT NULL")
    writer.execute("COMMIT")


def connect(path: Path, *, busy_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # counts for a new file only
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{READER_KIB}")
    return connection


def tombstone_key(writer: sqlite3.Connection) -> bytes:
    """The key of the hashes that stand for erased people; made once per file."""
    writer.execute("INSERT OR IGNORE INTO secrets VALUES ('tombstones', ?)", (secrets.token_bytes(32),))
    return writer.execute("SELECT value FROM secrets WHERE name = 'tombstones'").fetchone()[0]


def identity_of(path: Path) -> tuple[int, int] | None:
    """Which file the path leads to, whatever it is called; None: there is none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def last_offset(connection: sqlite3.Connection) -> int:
    """Of the newest record ever written, or passed over by skip_to; 0 for none."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'log'").fetchone()
    return row[0] if row else 0


def skip_to(writer: sqlite3.Connection, offset: int) -> None:
    """Has the next record come after this offset. Inside a transaction."""
    writer.execute("DELETE FROM sqlite_sequence WHERE name = 'log'")
    writer.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('log', ?)", (offset,))


@contextmanager
def errors_of(path: Path) -> Generator[None]:
    """Turns SQLite's errors inside the block into those of domain.errors."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    except OSError as error:
        raise LogError(f"the log {path} cannot be opened: {error.strerror}") from error


def _translated(error: sqlite3.Error, path: Path) -> LogError:
    code: int = getattr(error, "sqlite_errorcode", 0)
    base = code & 0xFF
    if base in _FULL or code in _FULL:
        return LogFull(f"no space left for the log {path}; nothing was written. Free some space and send again")
    if base in _BUSY:
        return Backlog(f"other processes keep the log {path} busy; try again")
    if base in _DAMAGED:
        return LogDamaged(f"the log {path} is damaged ({error}); restore it from a backup or move it away")
    return LogError(f"the log {path} failed: {error}")
