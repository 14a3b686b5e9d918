"""`clew train --watch`, `serve` and `rollback` as somebody runs them: processes of their own on one small world."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from clew import models, pipeline
from clew.settings import Settings
from domain.progress import Silent
from embeddings.artifact import current_version
from graph.server import Connection, ServerConfig
from tests.clew.processes import Commands, client_of, end, loaded, until
from tests.world import world_dataset

QUIET = Silent()


@pytest.fixture
def settings(server: tuple[ServerConfig, Connection], tmp_path: Path) -> Iterator[Settings]:
    """The small world, and a model that serves."""
    with loaded(tmp_path / "home", world_dataset(), server[1]) as made:
        first = pipeline.train(made, pipeline.snapshot(made, QUIET), QUIET, force=True).version
        pipeline.publish(made, first, QUIET)
        yield made


def test_a_watch_publishes_what_came_servers_take_it_up_and_a_rollback_takes_it_back(
    settings: Settings, tmp_path: Path
) -> None:
    first = current_version(settings.models_dir)
    with contextlib.ExitStack() as running:
        clew = Commands(settings, tmp_path / "out", running)
        clew.start("serve")
        client = client_of(settings, running)
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
