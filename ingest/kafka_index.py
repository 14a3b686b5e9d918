"""What a machine keeps of a log on Kafka, in a SQLite file that its processes share: which events and people are known.

Everything in it comes from the topics, up to the positions it holds; without the file it is made again from them.
"""

import sqlite3
import threading
from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest import log_file

_TABLES = """
CREATE TABLE IF NOT EXISTS positions (topic TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (event BLOB PRIMARY KEY, digest BLOB NOT NULL, offset INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (key_id BLOB PRIMARY KEY, person BLOB NOT NULL, key BLOB NOT NULL, farewell INTEGER)
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_person ON keys (person);
CREATE TABLE IF NOT EXISTS erased (person BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skips (position INTEGER PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS merged (person BLOB, visitor BLOB, PRIMARY KEY (person, visitor)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letters (number INTEGER PRIMARY KEY, id BLOB UNIQUE, person BLOB, waits BLOB, code TEXT,
    body BLOB);
CREATE INDEX IF NOT EXISTS letters_waits ON letters (waits) WHERE waits IS NOT NULL;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
"""
_POSITION = "SELECT position FROM positions WHERE topic = ?"


@dataclass(frozen=True)
class Key:
    """A person's key. farewell: the offset of the UserErased that it opens, 0 before that is known; None: it opens the
    records of what they did."""

    key_id: bytes
    person: bytes
    key: bytes
    farewell: int | None = None


@dataclass(frozen=True)
class StoredLetter:
    """A dead letter as it lies there. waits: hash of what it waits for. body: sealed where it is about a person."""

    number: int
    id: bytes
    person: bytes | None
    waits: bytes | None
    code: str
    body: bytes


class KafkaIndex:
    """Safe to use from many threads and processes. Raises (any method): LogError and below, naming the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with log_file.errors_of(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")  # what a crash takes is read again
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.executescript("BEGIN IMMEDIATE;" + _TABLES + "COMMIT;")
            self._watching = threading.Lock()
            self._watcher = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)

    def close(self) -> None:
        with self._lock, self._watching:
            self._connection.close()
            self._watcher.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """BEGIN IMMEDIATE and COMMIT around the block; nothing of it stays when it fails."""
        with self._lock, log_file.errors_of(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def position(self, topic: str) -> int:
        """Everything of the topic below this offset is in here."""
        return self._value(_POSITION, topic) or 0

    def reached(self, topic: str) -> int:
        """The position, as last written by any process of this machine. Takes microseconds, and waits for no writer."""
        with self._watching, log_file.errors_of(self.path):
            row = self._watcher.execute(_POSITION, (topic,)).fetchone()
        return row[0] if row else 0

    def advance(self, topic: str, position: int) -> None:
        self._run(
            "INSERT INTO positions VALUES (?, ?) ON CONFLICT DO UPDATE SET position = max(position, excluded.position)",
            [(topic, position)],
        )

    def note(self, name: str) -> bytes | int | None:
        return self._value("SELECT value FROM notes WHERE name = ?", name)

    def set_note(self, name: str, value: bytes | int) -> None:
        self._run("INSERT INTO notes VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", [(name, value)])

    def add_events(self, events: Iterable[tuple[bytes, bytes, int]]) -> None:
        """(hash of the id, digest of the content, offset) of each; one that is there already stays as it is."""
        self._run("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", sorted(events))

    def events(self, hashes: Collection[bytes]) -> dict[bytes, tuple[bytes, int]]:
        """Those of the events that are known: hash -> (digest, offset of the first)."""
        found = self._each("SELECT event, digest, offset FROM events WHERE event = ?", hashes)
        return {event: (digest, offset) for event, digest, offset in found}

    def add_skips(self, skips: Iterable[tuple[int, int]]) -> None:
        self._run("INSERT OR IGNORE INTO skips VALUES (?, ?)", skips)

    def skips(self) -> list[tuple[int, int]]:
        """(position behind it, offset) of each, by position."""
        with self._lock, log_file.errors_of(self.path):
            return self._connection.execute("SELECT position, offset FROM skips ORDER BY position").fetchall()

    def add_keys(self, keys: Collection[Key]) -> None:
        rows = [(key.key_id, key.person, key.key, key.farewell) for key in keys]
        self._run("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)", rows)

    def set_farewell(self, key_id: bytes, offset: int) -> None:
        self._run("UPDATE keys SET farewell = ? WHERE key_id = ?", [(offset, key_id)])

    def key(self, key_id: bytes) -> Key | None:
        return next(self._keys("key_id = ?", key_id), None)

    def current_keys(self, people: Collection[bytes]) -> dict[bytes, Key]:
        """Of each person the first of the keys with which their records are sealed; nobody who has none."""
        query = "SELECT key_id, person, key FROM keys WHERE person = ? AND farewell IS NULL ORDER BY key_id LIMIT 1"
        return {row[1]: Key(*row) for row in self._each(query, people)}

    def keys_of(self, person: bytes) -> list[Key]:
        return list(self._keys("person = ?", person))

    def farewells(self, up_to: int) -> list[Key]:
        return list(self._keys("farewell BETWEEN 1 AND ?", up_to))

    def drop_keys(self, keys: Collection[Key]) -> None:
        """Call in a transaction."""
        self._run("DELETE FROM keys WHERE key_id = ?", [(key.key_id,) for key in keys])
        self._run("INSERT INTO notes VALUES ('drops', 1) ON CONFLICT DO UPDATE SET value = value + 1", [()])

    def drops(self) -> int:
        """Another number, once any process of this machine has dropped keys."""
        noted = self.note("drops")
        return noted if isinstance(noted, int) else 0

    def add_erased(self, person: bytes) -> None:
        self._run("INSERT OR IGNORE INTO erased VALUES (?)", [(person,)])

    def erased(self, people: Collection[bytes]) -> set[bytes]:
        """Those of the people who were erased."""
        if not self.has_erased():
            return set()
        return {person for (person,) in self._each("SELECT person FROM erased WHERE person = ?", people)}

    def has_erased(self) -> bool:
        return self._value("SELECT 1 FROM erased WHERE 1 = ? LIMIT 1", 1) is not None

    def add_merged(self, person: bytes, visitor: bytes) -> None:
        self._run("INSERT OR IGNORE INTO merged VALUES (?, ?)", [(person, visitor)])

    def visitors(self, person: bytes) -> set[bytes]:
        """Everyone who turned out to be this person, directly or through another."""
        found, open_ones = set[bytes](), {person}
        while open_ones:
            rows = self._each("SELECT visitor FROM merged WHERE person = ?", open_ones)
            open_ones = {visitor for (visitor,) in rows} - found - {person}
            found |= open_ones
        return found

    def add_letter(self, letter: StoredLetter) -> None:
        row = (letter.number, letter.id, letter.person, letter.waits, letter.code, letter.body)
        self._run("INSERT OR IGNORE INTO letters VALUES (?, ?, ?, ?, ?, ?)", [row])

    def drop_letter(self, letter_id: bytes) -> None:
        self._run("DELETE FROM letters WHERE id = ?", [(letter_id,)])

    def letters(self, condition: str, *values: object) -> list[StoredLetter]:
        """condition: SQL of ours, from WHERE on."""
        with self._lock, log_file.errors_of(self.path):
            query = f"SELECT number, id, person, waits, code, body FROM letters {condition}"  # noqa: S608 of ours
            return [StoredLetter(*row) for row in self._connection.execute(query, values)]

    def letter_counts(self) -> dict[str, int]:
        with self._lock, log_file.errors_of(self.path):
            return dict(self._connection.execute("SELECT code, count(*) FROM letters GROUP BY code ORDER BY code"))

    def scrub(self) -> None:
        """Cuts the write-ahead file to nothing, so that deleted keys are in no file; as far as readers let it."""
        with self._lock, log_file.errors_of(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def _keys(self, condition: str, value: object) -> Generator[Key]:
        with self._lock, log_file.errors_of(self.path):
            query = f"SELECT key_id, person, key, farewell FROM keys WHERE {condition}"  # noqa: S608 of ours
            rows = self._connection.execute(query, (value,)).fetchall()
        yield from (Key(*row) for row in rows)

    def _value(self, query: str, value: object) -> int | None:
        with self._lock, log_file.errors_of(self.path):
            row = self._connection.execute(query, (value,)).fetchone()
        return row[0] if row else None

    def _each(self, query: str, values: Iterable[object]) -> list[Any]:
        with self._lock, log_file.errors_of(self.path):
            return [row for value in values for row in self._connection.execute(query, (value,))]

    def _run(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        with self._lock, log_file.errors_of(self.path):
            self._connection.executemany(statement, rows)
