"""A model that is worse is held back, seen as whoever runs it sees it: through the commands, with a server beside."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from clew import models
from clew.settings import Settings
from embeddings.artifact import current_version
from graph.server import Connection, ServerConfig
from tests.clew.processes import Commands, client_of, end, loaded, until
from tests.embeddings.checkerboard import ITEMS, checkerboard_dataset

BOTS, TAKEN = 200, 8


@pytest.fixture
def settings(server: tuple[ServerConfig, Connection], tmp_path: Path) -> Iterator[Settings]:
    with loaded(tmp_path / "home", checkerboard_dataset(), server[1]) as made:
        yield made


def bots() -> list[dict[str, str]]:
    """What makes a model worse: users who take anything at all, and more of them than of the others."""
    rng = np.random.default_rng(0)
    return [
        {"event_id": f"bot{bot}-{item}", "user_id": f"bot{bot}", "item_id": f"i{item:02}", "kind": "take"}
        for bot in range(BOTS)
        for item in rng.permutation(ITEMS)[:TAKEN]
    ]


def test_a_worse_model_is_held_back_until_it_is_forced_and_a_rollback_takes_it_back(
    settings: Settings, tmp_path: Path
) -> None:
    with contextlib.ExitStack() as running:
        clew = Commands(settings, tmp_path / "out", running)
        assert "the first model: there is no other to compare it with" in clew.told("train")
        first = current_version(settings.models_dir)
        clew.start("serve")
        client = client_of(settings, running)
        until(lambda: serving(client) == first, clew)
        for events in (bots()[:1000], bots()[1000:]):
            assert client.post("/v1/events", json=events).json()["accepted"] == len(events)
        until(lambda: client.get("/health/ready").json()["graph"]["writer_lag"] == 0, clew)

        watch = clew.start("train", "--watch", "--after-events", "100")
        until(lambda: models.held(settings.models_dir) is not None, clew)
        until(lambda: "worse_model" in clew.said(), clew)
        end(watch)
        held = models.held(settings.models_dir)
        assert current_version(settings.models_dir) == serving(client) == first
        (line,) = (line for line in clew.told("models", "list").splitlines() if str(held) in line)
        assert "held back" in line
        assert f"that of {first}, which served, was" in line

        assert "which served, was" in clew.told("train", "--force")
        forced = current_version(settings.models_dir)
        assert forced not in (first, held)
        until(lambda: serving(client) == forced, clew)
        clew.told("rollback")
        until(lambda: serving(client) == first, clew)
        assert models.held(settings.models_dir) == forced
    assert "Traceback" not in (tmp_path / "out").read_text()


def serving(client: httpx.Client) -> str | None:
    return client.get("/v1/users/u00/recommendations").json()["model_version"]
