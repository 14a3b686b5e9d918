"""How one would write POST /v1/events first: FastAPI, pydantic, one INSERT an event, a commit a request.

It makes the same promise: when it answers, the events are on disk, and an event id counts once.
"""

import sqlite3
import threading
from pathlib import Path
from typing import Literal

from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Id = Field(min_length=1, max_length=256)
TABLE = """
CREATE TABLE IF NOT EXISTS events (
    event_id TEXT PRIMARY KEY, user_id TEXT, item_id TEXT, kind TEXT, at INTEGER, value REAL,
    session_id TEXT, recommendation_id TEXT, position INTEGER
)
"""


class Event(BaseModel):
    model_config = ConfigDict(extra="forbid")

    event_id: str = Id
    user_id: str = Id
    item_id: str = Id
    kind: Literal["view", "cart", "purchase", "rate", "like"]
    at: AwareDatetime
    value: float | None = None
    session_id: str | None = None
    recommendation_id: str | None = None
    position: int | None = Field(default=None, ge=1)


class Events(BaseModel):
    events: list[Event] = Field(min_length=1, max_length=1000)


def peer_app(path: Path) -> FastAPI:
    app, lock = FastAPI(), threading.Lock()
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(TABLE)

    @app.post("/v1/events", status_code=202)
    def post_events(body: Events) -> dict[str, int]:
        accepted = 0
        with lock, connection:
            for event in body.events:
                row = (
                    event.event_id,
                    event.user_id,
                    event.item_id,
                    event.kind,
                    round(event.at.timestamp() * 1000),
                    event.value,
                    event.session_id,
                    event.recommendation_id,
                    event.position,
                )
                found = connection.execute("INSERT OR IGNORE INTO events VALUES (?,?,?,?,?,?,?,?,?)", row)
                accepted += found.rowcount
        return {"accepted": accepted, "duplicated": len(body.events) - accepted}

    return app
