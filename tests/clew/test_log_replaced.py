"""A log that is restored from an older copy while servers run: they say so, and nothing acknowledged counts twice."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clew.settings import Settings
from clew.wiring import connection_of
from graph.server import Connection, ServerConfig
from tests.clew.processes import Commands, client_of, end, is_ready, loaded, until
from tests.servers import ask
from tests.world import world_dataset

COUNTED = "MATCH ()-[e:INTERACTED]->() WHERE e.event_id STARTS WITH 'n' RETURN e.event_id AS id, count(*) AS times"


@pytest.fixture
def settings(server: tuple[ServerConfig, Connection], tmp_path: Path) -> Iterator[Settings]:
    with loaded(tmp_path / "home", world_dataset(), server[1]) as made:
        yield made


def events(first: int, last: int) -> list[dict[str, str]]:
    return [
        {"event_id": f"n{number}", "user_id": "newcomer", "item_id": "pulp", "kind": "view"}
        for number in range(first, last)
    ]


def post(client: httpx.Client, first: int, last: int) -> dict[str, object]:
    return client.post("/v1/events", json=events(first, last)).json()


def copy(log_file: Path, to: Path) -> None:
    with contextlib.closing(sqlite3.connect(log_file)) as source, contextlib.closing(sqlite3.connect(to)) as target:
        source.backup(target)


def put_back(older: Path, log_file: Path) -> None:
    """As one does it with a server that is stopped, and here it is not: the old files go, the copy is moved in."""
    for ending in ("-wal", "-shm"):
        log_file.with_name(log_file.name + ending).unlink()
    older.replace(log_file)


def test_an_older_copy_under_running_servers_is_named_and_everything_counts_once_after_a_restart(
    settings: Settings, tmp_path: Path
) -> None:
    """One written into the file itself, and a file that is gone: tests/ingest/test_log.py."""
    connection = connection_of(settings)

    def stored() -> dict[str, int]:
        return {str(row["id"]): int(str(row["times"])) for row in ask(connection, COUNTED)}

    with contextlib.ExitStack() as running:
        clew = Commands(settings, tmp_path / "out", running)
        serving = clew.start("serve")
        client = client_of(settings, running)
        until(lambda: is_ready(client), clew)
        assert post(client, 0, 10)["accepted"] == 10
        copy(settings.log_file, tmp_path / "copy.db")
        assert post(client, 10, 30)["accepted"] == 20
        until(lambda: len(stored()) == 30, clew)

        put_back(tmp_path / "copy.db", settings.log_file)
        refused = client.post("/v1/events", json=events(30, 31))
        assert (refused.status_code, refused.json()["code"]) == (503, "log_replaced")
        assert "restart `clew serve`" in refused.json()["detail"]
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "unready")
        assert ready.json()["error"].startswith("log_replaced: the log")
        assert client.get("/v1/users/newcomer/recommendations").status_code == 200
        end(serving)

        clew.start("serve")
        until(lambda: is_ready(client), clew)
        seen = client.get("/v1/users/newcomer").json()["events"]
        assert post(client, 30, 40)["accepted"] == 10  # with offsets that the first 30 had, where they are not skipped
        assert client.get("/v1/users/newcomer").json()["events"] == seen + 10
        assert post(client, 25, 35) == {"accepted": 5, "duplicated": 5, "rejected": []}  # some are new to this log
        until(lambda: len(stored()) == 40, clew)
        until(lambda: client.get("/health/ready").json()["graph"]["writer_lag"] == 0, clew)
        assert set(stored().values()) == {1}
    assert "Traceback" not in (tmp_path / "out").read_text()
