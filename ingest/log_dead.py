"""The table of dead letters in the log's SQLite file. Functions take a connection, those that write inside a
transaction."""

import sqlite3
import time
from collections.abc import Collection, Sequence

import msgspec

from ingest.log_contract import DeadLetter, Letter

_LETTERS = "SELECT number, buried_at, code, message, payload, waits_for FROM dead"


def bury(writer: sqlite3.Connection, letters: Sequence[Letter]) -> None:
    now_ms = time.time_ns() // 1_000_000
    writer.executemany(
        "INSERT INTO dead (buried_at, user_id, code, message, payload, waits_for) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (now_ms, one.user_id, one.code, one.message, msgspec.json.encode(one.payload), one.waits_for)
            for one in letters
        ],
    )


def drop_oldest(writer: sqlite3.Connection, kept: int) -> None:
    """Deletes the oldest rejected letters beyond `kept`, and counts them. Held ones stay."""
    (count,) = writer.execute("SELECT count(*) FROM dead WHERE waits_for IS NULL").fetchone()
    if count > kept:
        writer.execute(
            "DELETE FROM dead WHERE number IN "
            "(SELECT number FROM dead WHERE waits_for IS NULL ORDER BY number LIMIT ?)",
            (count - kept,),
        )
        writer.execute(
            "INSERT INTO counters VALUES ('dropped', ?) ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (count - kept,),
        )


def newest(reader: sqlite3.Connection, limit: int, waits_for: str | None) -> list[DeadLetter]:
    if waits_for is None:
        rows = reader.execute(f"{_LETTERS} ORDER BY number DESC LIMIT ?", (limit,)).fetchall()
    else:
        query = f"{_LETTERS} WHERE waits_for = ? ORDER BY number DESC LIMIT ?"
        rows = reader.execute(query, (waits_for, limit)).fetchall()
    return [
        DeadLetter(
            number=number,
            buried_at=buried_at,
            code=code,
            message=message,
            payload=msgspec.json.decode(payload),
            waits_for=waiting,
        )
        for number, buried_at, code, message, payload, waiting in rows
    ]


def awaited(reader: sqlite3.Connection) -> set[str]:
    return {name for (name,) in reader.execute("SELECT DISTINCT waits_for FROM dead WHERE waits_for IS NOT NULL")}


def forget(writer: sqlite3.Connection, numbers: Collection[int]) -> None:
    writer.executemany("DELETE FROM dead WHERE number = ?", [(number,) for number in numbers])


def counts(reader: sqlite3.Connection) -> dict[str, int]:
    by_code = dict(reader.execute("SELECT code, count(*) FROM dead GROUP BY code ORDER BY code").fetchall())
    dropped = reader.execute("SELECT value FROM counters WHERE name = 'dropped'").fetchone()
    return {**by_code, "dropped": dropped[0] if dropped else 0}
