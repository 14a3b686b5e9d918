"""The hand-written world as a recommender: a small model, a real log, and no Neo4j unless a test asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.log import Log
from recommend.recommender import Recommender
from recommend.world import World
from tests.recommend.small_model import small_artifact


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.db") as opened:
        yield opened


@pytest.fixture
def world(log: Log) -> World:
    return World(log, artifact=small_artifact())


@pytest.fixture
def recommender(world: World) -> Recommender:
    return Recommender(world, None)
