"""`clew train --watch`, `serve` and `rollback` as somebody runs them: processes of their own on one small world."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from clew import models, pipeline
from clew.settings import Settings, environment_name
from domain.progress import Silent
from embeddings.artifact import current_version
from graph import server
from tests.servers import free_port
from tests.world import world_dataset

QUIET = Silent()
WITHIN_S = 120
NAMES = ("home", "port", "neo4j_bolt_port", "neo4j_http_port", "neo4j_heap", "neo4j_page_cache")


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """The small world in a Neo4j of its own, and a model that serves."""
    made = Settings(
        home=tmp_path / "home",
        port=free_port(),
        neo4j_bolt_port=free_port(),
        neo4j_http_port=free_port(),
        neo4j_heap="512m",
        neo4j_page_cache="64m",
    )
    try:
        pipeline.load_dataset(made, world_dataset(), QUIET)
        first = pipeline.train(made, pipeline.snapshot(made, QUIET), QUIET, force=True).version
        pipeline.publish(made, first, QUIET)
        yield made
    finally:
        server.down(made.server_config)


class Commands:
    """`clew` with these settings, as processes that end with the block; what they say is in `out`."""

    def __init__(self, settings: Settings, out: Path, running: contextlib.ExitStack) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}
        self._environment = kept | {environment_name(name): str(getattr(settings, name)) for name in NAMES}
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


def test_a_watch_publishes_what_came_servers_take_it_up_and_a_rollback_takes_it_back(
    settings: Settings, tmp_path: Path
) -> None:
    first = current_version(settings.models_dir)
    with contextlib.ExitStack() as running:
        clew = Commands(settings, tmp_path / "out", running)
        clew.start("serve")
        client = running.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{settings.port}", timeout=30))
        until(lambda: serving(client) == first, clew)

        watch = clew.start("train", "--watch", "--after-events", "3", "--force")
        post(client, "ann", "blade", "alien", "heat")
        until(lambda: current_version(settings.models_dir) != first, clew)
        second = current_version(settings.models_dir)
        until(lambda: serving(client) == second, clew)
        end(watch)

        assert clew.run("rollback") == 0
        until(lambda: serving(client) == first, clew)
        assert models.held(settings.models_dir) == second
    assert "Traceback" not in (tmp_path / "out").read_text()


def post(client: httpx.Client, user_id: str, *item_ids: str) -> None:
    events = [{"user_id": user_id, "item_id": item_id, "kind": "purchase"} for item_id in item_ids]
    assert client.post("/v1/events", json=events).json()["accepted"] == len(item_ids)


def serving(client: httpx.Client) -> str | None:
    return client.get("/v1/users/ann/recommendations").json()["model_version"]


def end(process: "subprocess.Popen[bytes]") -> None:
    """As Ctrl-C does; the process group of a training ends with its watch."""
    process.terminate()
    process.wait(timeout=WITHIN_S)


def until(holds: Callable[[], bool], clew: Commands) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        with contextlib.suppress(httpx.TransportError):
            if holds():
                return
        assert time.monotonic() < deadline, clew.said()
        time.sleep(0.2)
