"""`clew` as somebody runs it: processes of their own on one home, and what they answer."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
from pydantic import SecretStr

from clew import pipeline
from clew.settings import Settings, environment_name
from domain.progress import Silent
from domain.tables import Dataset
from graph.server import Connection
from tests.graph_state import remove_nodes
from tests.ports import free_port

WITHIN_S = 120
NAMES = ("home", "port", "neo4j_uri", "neo4j_username")


@contextlib.contextmanager
def loaded(home: Path, dataset: Dataset, connection: Connection) -> Generator[Settings]:
    """A home of its own, and this data set, and nothing else, in that Neo4j. In the end it is empty."""
    remove_nodes(connection)
    made = Settings(
        home=home,
        port=free_port(),
        neo4j_uri=connection.uri,
        neo4j_username=connection.username,
        neo4j_password=SecretStr(connection.password),
    )
    try:
        pipeline.load_dataset(made, dataset, Silent())
        yield made
    finally:
        remove_nodes(connection)


def environment_of(settings: Settings) -> dict[str, str]:
    """What gives a process such a home."""
    named = {environment_name(name): str(getattr(settings, name)) for name in NAMES}
    return named | {"NEO4J_PASSWORD": settings.neo4j_password.get_secret_value()}


class Commands:
    """`clew` with these settings, as processes that end with the block; what they say is in `out`.

    changes: more settings, as environment variables.
    """

    def __init__(self, settings: Settings, out: Path, running: contextlib.ExitStack, **changes: str) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}
        self._environment = kept | environment_of(settings) | changes
        self._environment["COLUMNS"] = "300"  # rows of tables on one line
        self._out, self._running = out, running

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "clew", *arguments]
        with self._out.open("ab") as output:
            process = subprocess.Popen(
                command, env=self._environment, cwd=self._out.parent, stdout=output, stderr=output
            )
        self._running.callback(end, process)
        return process

    def said(self) -> str:
        return self._out.read_text()[-3000:]

    def run(self, *arguments: str) -> int:
        return self.start(*arguments).wait(timeout=WITHIN_S)

    def told(self, *arguments: str) -> str:
        """What a command that succeeds says on its standard output."""
        command = [sys.executable, "-m", "clew", *arguments]
        done = subprocess.run(
            command, env=self._environment, cwd=self._out.parent, capture_output=True, text=True, timeout=WITHIN_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def client_of(settings: Settings, running: contextlib.ExitStack) -> httpx.Client:
    return running.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{settings.port}", timeout=30))


def end(process: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C does; the process group of a training ends with its watch."""
    process.terminate()
    process.wait(timeout=WITHIN_S)


def until(holds: Callable[[], bool], clew: Commands | None = None) -> None:
    """Waits until it holds, also for an API that does not answer yet; where it never does, tells what `clew` said."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if holds():
                return
        assert time.monotonic() < deadline, clew.said() if clew else ""
        time.sleep(0.1)


def is_ready(client: httpx.Client) -> bool:
    return client.get("/health/live").status_code == 200
