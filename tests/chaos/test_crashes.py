"""kill -9 in the middle of load: every acknowledged event is in the graph once, and only once.

`make chaos` runs twenty rounds and more (ROUNDS=...); without it each process is killed once.
"""

from collections.abc import Iterator

import pytest

from tests.chaos.rounds import play, rounds
from tests.chaos.town import Neo4j, Town

VICTIMS = ("api", "writer", "neo4j")


@pytest.fixture(scope="module")
def town(neo4j: Neo4j, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(tmp_path_factory.mktemp("town"), neo4j) as made:
        yield made


@pytest.mark.parametrize(("number", "victim"), rounds(VICTIMS))
def test_what_was_acknowledged_is_in_the_graph_once(town: Town, number: int, victim: str) -> None:
    kills = {"api": town.kill_api, "writer": town.kill_writer, "neo4j": town.neo4j.kill}
    play(town, number, victim, kills)
