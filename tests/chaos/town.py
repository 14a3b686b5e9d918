"""Everything that Clew runs, as processes of its own in one home, each of which can be killed and started again."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import psutil

from graph import server as neo4j_server
from graph.server import Connection, ServerConfig
from tests.ports import free_port
from tests.servers import ask, small_server

BATCH = 20
WAIT_S = 120.0
PAUSE_S = 0.05  # before the same events are sent again
GAP_S = 0.02  # between batches: about a thousand events a second
EVENT_IDS = "MATCH ()-[event:INTERACTED]->() RETURN event.event_id AS id, count(*) AS times"


class Neo4j:
    """A Neo4j of one's own, to be killed. A context manager."""

    def __init__(self, home: Path) -> None:
        self._config: ServerConfig = small_server(home)
        self.connection: Connection = neo4j_server.up(self._config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        neo4j_server.down(self._config)

    def kill(self) -> None:
        """kill -9, and it is started again on the same store."""
        kill(json.loads(self._config.pid_file.read_text())["pid"])
        neo4j_server.up(self._config)


class Town:
    """A home with its API and, started by that, its writer. settings: environment of `clew`. A context manager."""

    def __init__(self, home: Path, neo4j: Neo4j, **settings: str) -> None:
        self.neo4j = neo4j
        self.port = free_port()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}
        self.environment = kept | {
            "CLEW_HOME": str(home),
            "CLEW_PORT": str(self.port),
            "NEO4J_URI": neo4j.connection.uri,
            "NEO4J_USERNAME": neo4j.connection.username,
            "NEO4J_PASSWORD": neo4j.connection.password,
            **settings,
        }
        self._out = home / "serve.out"
        self._serving: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        ask(self.neo4j.connection, "MATCH (node) DETACH DELETE node")
        self.start_api()
        return self

    def __exit__(self, *_: object) -> None:
        self.end_api()

    def start_api(self) -> None:
        with self._out.open("ab") as output:
            self._serving = subprocess.Popen(
                [sys.executable, "-m", "clew", "serve"], env=self.environment, stdout=output, stderr=output
            )
        until(lambda: self.answers("/health/live"), self.said)

    def end_api(self) -> None:
        if self._serving is not None:
            self._serving.send_signal(signal.SIGTERM)
            self._serving.wait(timeout=60)
            self._serving = None

    def kill_api(self) -> None:
        """kill -9, and another one is started; its writer notices, and ends."""
        assert self._serving is not None
        self._serving.kill()
        self._serving.wait()
        self.start_api()

    def kill_writer(self) -> None:
        """kill -9; the API starts another one."""
        assert self._serving is not None
        first = self._writer()
        first.kill()
        until(lambda: self._writer().pid != first.pid, lambda: "no other writer was started")

    def answers(self, path: str) -> bool:
        try:
            return self.ask_api("GET", path)[0] == 200
        except OSError:
            return False

    def ask_api(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        """Status and document. Raises: OSError while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), JSON if body else {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def stored(self) -> dict[str, int]:
        """How often each event is in Neo4j."""
        return {str(row["id"]): int(str(row["times"])) for row in ask(self.neo4j.connection, EVENT_IDS)}

    def said(self) -> str:
        return self._out.read_text()[-3000:]

    def _writer(self) -> psutil.Process:
        assert self._serving is not None
        found: list[psutil.Process] = []

        def look() -> bool:
            assert self._serving is not None
            found[:] = [child for child in psutil.Process(self._serving.pid).children() if _is_writer(child)]
            return bool(found)

        until(look, lambda: "the API has no writer")
        return found[0]


JSON = {"Content-Type": "application/json"}


class Sender:
    """A shop that posts events all the time and sends again whatever was not acknowledged. A context manager.

    sent: every event id; all of them are acknowledged once the block has ended.
    """

    def __init__(self, town: Town, name: str) -> None:
        self._town = town
        self._name = name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.sent: list[str] = []
        self.repeats = 0
        self.refused: list[object] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=WAIT_S)
        assert not self._thread.is_alive(), "events are not taken any more"

    def _run(self) -> None:
        while not self._stop.is_set():
            events = [self._event(len(self.sent) + place) for place in range(BATCH)]
            self.sent += [event["event_id"] for event in events]
            while not self._is_acknowledged(events):
                self.repeats += 1
                time.sleep(PAUSE_S)
            time.sleep(GAP_S)

    def _event(self, number: int) -> dict[str, str]:
        user, item = f"{self._name}-u{number % 17}", f"i{number % 23}"
        return {"event_id": f"{self._name}-{number}", "user_id": user, "item_id": item, "kind": "view"}

    def _is_acknowledged(self, events: list[dict[str, str]]) -> bool:
        try:
            status, receipt = self._town.ask_api("POST", "/v1/events", {"events": events})
        except (OSError, ValueError):  # killed in the middle of an answer
            return False
        if status == 202:
            assert receipt["rejected"] == [], receipt
            return True
        if status not in (503, 507):
            self.refused.append(receipt)
        return False


def kill(pid: int) -> None:
    """kill -9, and it is gone when this returns."""
    process = psutil.Process(pid)
    process.kill()
    process.wait(timeout=30)


def until(holds: Callable[[], bool], story: Callable[[], str], *, wait_s: float = WAIT_S) -> None:
    deadline = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < deadline, story()
        time.sleep(0.1)


def settle(town: Town, wanted: set[str]) -> dict[str, int]:
    """Waits until the writer has come as far as the log; then what is stored, all other events left out."""

    def stored() -> dict[str, int]:
        return {event_id: times for event_id, times in town.stored().items() if event_id in wanted}

    deadline = time.monotonic() + WAIT_S
    while len(stored()) < len(wanted) and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(0.5)  # what would come twice has come by now
    return stored()


def _is_writer(process: psutil.Process) -> bool:
    try:
        return "writer" in process.cmdline()
    except psutil.NoSuchProcess:
        return False
