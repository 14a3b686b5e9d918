"""clew graph and clew ingest rdf, as a person at a terminal uses them, on the real Neo4j of the run."""

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from cypher.saved import saved_queries, saved_query
from domain.errors import InvalidRequest
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.graph_state import remove_nodes
from tests.ingest.test_rdf_source import MAPPING, TURTLE
from tests.world import world_dataset

Clew = Callable[..., subprocess.CompletedProcess[str]]
VALUES = {"user_id": "ann", "item_id": "pulp"}


@pytest.fixture(scope="module")
def world(server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    _, connection = server
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.load(world_dataset())
        yield store
    remove_nodes(connection)


@pytest.fixture
def written_to(world: GraphStore, server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    """The world for a test that writes into it; the tests after it find it as it was."""
    yield world
    remove_nodes(server[1])
    world.load(world_dataset())


@pytest.fixture
def there(world: GraphStore, clew: Clew, server: tuple[ServerConfig, Connection]) -> Clew:
    """`clew` with the graph of this run as an outside one."""
    _, connection = server
    address = {"NEO4J_URI": connection.uri, "NEO4J_USERNAME": connection.username}
    return partial(clew, **address, NEO4J_PASSWORD=connection.password)


@pytest.mark.parametrize("query", saved_queries(), ids=lambda query: query.name)
def test_every_saved_query_answers(world: GraphStore, query: object) -> None:
    given = {name: VALUES[name] for name in query.parameters}  # type: ignore[attr-defined]
    answer = world.query(query.text, query.values(given), limit=100, timeout_s=30)  # type: ignore[attr-defined]
    assert answer.rows, "the small world has an answer to each"


def test_the_queries_are_listed_with_their_titles(clew: Clew) -> None:
    listed = {entry["name"]: entry for entry in json.loads(clew("graph", "queries", "--json").stdout)}
    assert set(listed) == {query.name for query in saved_queries()}
    assert listed["user_story"] == {
        "name": "user_story",
        "title": "What a user did, newest first.",
        "parameters": {"user_id": "STRING"},
    }


def test_a_saved_query_is_run_with_text_that_looks_like_a_number() -> None:
    assert saved_query("user_story").values({"user_id": "196"}) == {"user_id": "196"}
    with pytest.raises(InvalidRequest, match="needs parameter user_id; it takes: user_id"):
        saved_query("user_story").values({})
    with pytest.raises(InvalidRequest, match="has no parameter x"):
        saved_query("hubs").values({"x": "1"})
    with pytest.raises(InvalidRequest, match="there are: bare_items"):
        saved_query("../schema/user_id")


def test_answers_are_tables_and_json(there: Clew) -> None:
    told = there("graph", "run", "why_paths", "--param", "user_id=ann", "--param", "item_id=jackie")
    assert "-[:DIRECTED_BY]->(:Director" in told.stdout.replace("\n", "")
    answer = json.loads(there("graph", "query", "RETURN $x AS x", "--param", "x=[1, null]", "--json").stdout)
    assert (answer["columns"], answer["rows"]) == (["x"], [[[1, None]]])


def test_a_query_that_may_not_run_is_one_line_and_exit_code_1(there: Clew) -> None:
    done = there("graph", "query", "MATCH (n) DETACH DELETE n")
    assert (done.returncode, done.stderr) == (
        1,
        "clew: query_refused: this query would change something; here only reading is allowed\n",
    )
    done = there("graph", "query", "MATCH (n:Item)\nRETURN m")
    assert done.stderr == "clew: invalid_query: Variable `m` not defined (line 2, column 8)\n"


def test_the_health_of_the_graph_is_told_and_drawn(there: Clew, tmp_path: Path) -> None:
    told = json.loads(there("graph", "health", "--plot", "degrees.svg", "--json").stdout)
    assert (told["items"], told["components"], told["alone"]) == (12, [20, 1, 1, 1, 1], ["blank"])
    assert (tmp_path / "degrees.svg").read_text().lstrip().startswith("<?xml")


def test_rdf_goes_out_and_comes_in_again(there: Clew, written_to: GraphStore, tmp_path: Path) -> None:
    out = json.loads(there("graph", "export", "--rdf", "world.nt", "--people", "--json").stdout)
    assert out["triples"] == len((tmp_path / "world.nt").read_text().splitlines())
    before = written_to.counts()
    loaded = json.loads(there("ingest", "rdf", "world.nt", "--json").stdout)
    assert (loaded["items"], loaded["users"], loaded["entities"], loaded["rejected"]) == (12, 8, 12, 0)
    after = written_to.counts()
    assert {name: after[name] for name in ("users", "items", "entities")} == {
        name: before[name] for name in ("users", "items", "entities")
    }
    with_mapping = tmp_path / "elsewhere.toml"
    with_mapping.write_text(MAPPING)
    (tmp_path / "school.ttl").write_text(TURTLE)
    loaded = json.loads(there("ingest", "rdf", "school.ttl", "--mapping", "elsewhere.toml", "--json").stdout)
    assert (loaded["items"], loaded["events"], loaded["rejected"]) == (2, 1, 1)


def test_only_rdf_takes_a_mapping(clew: Clew) -> None:
    done = clew("ingest", "recbole", ".", "--mapping", "x.toml")
    assert done.stderr.startswith("clew: invalid_request: the source recbole takes no --mapping")
