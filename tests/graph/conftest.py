"""Stores on the real Neo4j of the test run."""

from collections.abc import Iterator

import pytest

from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.graph_state import remove_nodes
from tests.world import world_dataset


@pytest.fixture
def connection(server: tuple[ServerConfig, Connection]) -> Connection:
    return server[1]


@pytest.fixture
def store(connection: Connection) -> Iterator[GraphStore]:
    """A store on an empty graph."""
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as opened:
        yield opened
    remove_nodes(connection)


@pytest.fixture
def world(store: GraphStore) -> GraphStore:
    """A store on the hand-written world."""
    store.load(world_dataset())
    return store
