"""A real server for each test: uvicorn on a free port, a log of its own, the hand-written world in the real Neo4j."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app
from api.services import Services
from clew.serve import listen
from clew.settings import Settings
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.world import World
from tests.ports import free_port
from tests.recommend.small_model import crowded_dataset, small_artifact
from tests.servers import ask


@dataclass(frozen=True)
class Live:
    """A running API. client: speaks to it and keeps its connection."""

    url: str
    services: Services
    client: httpx.Client


@pytest.fixture(scope="module")
def graph(server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    """The crowded world in Neo4j."""
    _, connection = server
    ask(connection, "MATCH (n) DETACH DELETE n")
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.load(crowded_dataset())
        yield store
    ask(connection, "MATCH (n) DETACH DELETE n")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.db") as made:
        yield made


@pytest.fixture
def services(log: Log, graph: GraphStore) -> Services:
    world = World(log, artifact=small_artifact())
    return Services(recommender=Recommender(world, graph, verify_timeout_s=5), world=world, log=log, graph=graph)


@pytest.fixture
def offline_services(log: Log) -> Services:
    """Without a Neo4j."""
    world = World(log, artifact=small_artifact())
    return Services(recommender=Recommender(world, None), world=world, log=log)


@pytest.fixture
def live(services: Services) -> Iterator[Live]:
    with running(services) as made:
        yield made


@pytest.fixture
def offline(offline_services: Services) -> Iterator[Live]:
    with running(offline_services) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Without a Neo4j, and one for all tests of a module: for questions that leave nothing behind that others see."""
    with Log(tmp_path_factory.mktemp("shared") / "log.db") as log:
        world = World(log, artifact=small_artifact())
        with running(Services(recommender=Recommender(world, None), world=world, log=log)) as made:
            yield made


@pytest.fixture
def start() -> Iterator[Callable[..., Live]]:
    """Starts one more API: start(services, keys=...)."""
    open_ones = []

    def start_one(services: Services, **changes: object) -> Live:
        context = running(replace(services, **changes))  # type: ignore[arg-type]
        open_ones.append(context)
        return context.__enter__()

    yield start_one
    for context in open_ones:
        context.__exit__(None, None, None)


@contextmanager
def running(services: Services, port: int | None = None) -> Iterator[Live]:
    settings = Settings(port=port or free_port())
    config = uvicorn.Config(create_app(services), http="httptools", log_config=None, access_log=False)
    uvicorn_server = uvicorn.Server(config)
    with listen(settings) as listener:
        thread = threading.Thread(target=lambda: uvicorn_server.run(sockets=[listener]), daemon=True)
        thread.start()
        while not uvicorn_server.started:
            time.sleep(0.005)
        url = f"http://127.0.0.1:{settings.port}"
        try:
            with httpx.Client(base_url=url, timeout=30) as client:
                yield Live(url, services, client)
        finally:
            uvicorn_server.should_exit = True
            thread.join(timeout=10)
