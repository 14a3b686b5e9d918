"""Where users go who do not fit into memory: a private file of this process, which is gone when the process is."""

import sqlite3
import threading
import weakref
from dataclasses import dataclass
from typing import Protocol

import msgspec

from recommend.changes import UserChanges

PAGES_KIB = 8_192  # of the file that stay in memory
ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(UserChanges)


@dataclass(frozen=True)
class SharedState:
    """How Redis was when it was last spoken to. offset: of the log, up to which it is whole; 0: it holds nothing."""

    ok: bool
    offset: int
    error: str | None = None


class Shelf(Protocol):
    """Keeps users' changes by id. relies_on_shared: some are kept where others may lose them."""

    relies_on_shared: bool

    def put(self, user_id: str, changes: UserChanges) -> None: ...

    def take(self, user_id: str) -> UserChanges | None:
        """The changes, or newer ones, which are not on the shelf any more; None: it has none of this user."""
        ...


class FileShelf:
    """A temporary SQLite file without a name: it belongs to no other process, and a crash leaves nothing behind."""

    relies_on_shared = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.executescript(
            f"PRAGMA secure_delete = ON; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            f"PRAGMA cache_size = -{PAGES_KIB};"
            "CREATE TABLE users (user_id TEXT PRIMARY KEY, changes BLOB NOT NULL) WITHOUT ROWID;"
        )
        self._is_empty = True
        weakref.finalize(self, self._file.close)

    def put(self, user_id: str, changes: UserChanges) -> None:
        with self._lock:
            self._file.execute("INSERT OR REPLACE INTO users VALUES (?, ?)", (user_id, ENCODER.encode(changes)))
            self._is_empty = False

    def take(self, user_id: str) -> UserChanges | None:
        if self._is_empty:
            return None
        with self._lock:
            found = self._file.execute("SELECT changes FROM users WHERE user_id = ?", (user_id,)).fetchone()
            if found is None:
                return None
            self._file.execute("DELETE FROM users WHERE user_id = ?", (user_id,))
        return DECODER.decode(found[0])
