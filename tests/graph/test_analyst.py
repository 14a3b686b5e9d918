"""The graph as an analyst's objects, on the real server."""

import subprocess
import sys
from collections.abc import Iterator

import networkx
import pytest

from domain.errors import GraphUnavailable, InvalidRequest, MissingExtra
from graph import analyst as analyst_module
from graph.analyst import Analyst, key_of, to_networkx
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.graph_state import remove_nodes
from tests.world import RELATIONS, world_dataset


@pytest.fixture(scope="module")
def analyst(server: tuple[ServerConfig, Connection]) -> Iterator[Analyst]:
    """On the hand-written world, loaded once."""
    _, connection = server
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.load(world_dataset())
    with Analyst(connection.uri, connection.username, connection.password) as made:
        yield made
    remove_nodes(connection)


def test_a_node_has_its_labels_and_properties(analyst: Analyst) -> None:
    heat = analyst.node("Item", "heat")
    assert (set(heat.labels), heat["name"], heat["year"]) == ({"Item"}, "Heat", 1995)


def test_a_saved_query_is_a_data_frame(analyst: Analyst) -> None:
    frame = analyst.table("user_story", user_id="ann")
    assert frame.columns.tolist() == ["at", "kind", "value", "item_id", "name"]
    assert frame["item_id"].tolist() == ["thelma", "alien", "heat", "heat", "kill", "kill", "dogs", "pulp"]


def test_one_hop_around_a_film_is_what_it_is_joined_to(analyst: Analyst) -> None:
    around = analyst.ego("Entity", "Director:tarantino")
    assert {key_of(node)[1] for node in around.nodes} == {
        "Director:tarantino", "pulp", "dogs", "kill", "kill2", "jackie", "fay",
    }  # fmt: skip
    assert len(around.relationships) == 6


def test_two_hops_reach_what_one_does_not(analyst: Analyst) -> None:
    one, two = (analyst.ego("Item", "jackie", hops=hops) for hops in (1, 2))
    assert {key_of(node)[1] for node in one.nodes} == {"jackie", "Director:tarantino", "Genre:crime"}
    assert {"pulp", "heat", "fay"} <= {key_of(node)[1] for node in two.nodes}
    assert set(one.relationships) < set(two.relationships)


def test_the_limit_holds_in_every_hop(analyst: Analyst) -> None:
    assert len(analyst.ego("Item", "pulp", hops=2, limit=3).relationships) <= 6


def test_a_node_alone_is_its_own_surroundings(analyst: Analyst) -> None:
    around = analyst.ego("Entity", "Genre:romance", hops=2)
    assert ([key_of(node)[1] for node in around.nodes], len(around.relationships)) == (["Genre:romance"], 0)


def test_the_shortest_paths_come_first(analyst: Analyst) -> None:
    paths = analyst.paths(("User", "ann"), ("Item", "jackie"), k=3)
    assert len(paths) == 3
    assert {len(path.relationships) for path in paths} == {3}
    assert all(
        (key_of(path.nodes[0]), key_of(path.nodes[-1])) == (("User", "ann"), ("Item", "jackie")) for path in paths
    )


def test_nodes_without_a_way_between_them_have_no_path(analyst: Analyst) -> None:
    assert analyst.paths(("Item", "blank"), ("User", "ann")) == []


def test_a_subgraph_becomes_a_graph_of_networkx(analyst: Analyst) -> None:
    graph = to_networkx(analyst.ego("Item", "pulp"))
    assert graph.nodes["Item", "pulp"]["name"] == "Pulp Fiction"
    assert graph.nodes["Entity", "Genre:crime"]["labels"] == ["Entity", "Genre"]
    assert graph["User", "ann"]["Item", "pulp"]["e01"]["value"] == 5.0
    assert graph["Item", "pulp"]["Entity", "Genre:crime"]["HAS_GENRE"]["type"] == "HAS_GENRE"
    paths = to_networkx(*analyst.paths(("User", "ann"), ("Item", "jackie"), k=2))
    assert networkx.shortest_path_length(paths.to_undirected(), ("User", "ann"), ("Item", "jackie")) == 3


def test_events_between_the_same_two_are_edges_of_their_own(analyst: Analyst) -> None:
    graph = to_networkx(analyst.ego("User", "eve"))
    assert graph.number_of_edges(("User", "eve"), ("Item", "pulp")) == 2


def test_everything_can_be_walked_to_from_a_hub(analyst: Analyst) -> None:
    graph = to_networkx(analyst.ego("Entity", "Genre:crime", hops=1))
    assert {key[1] for key in graph if key[0] == "Item"} == {h for h, t in RELATIONS["HAS_GENRE"] if t == "Genre:crime"}


@pytest.mark.parametrize(
    "ask",
    [
        lambda a: a.node("Item", "absent"),
        lambda a: a.node("Film", "pulp"),
        lambda a: a.ego("Item", "pulp", hops=4),
        lambda a: a.paths(("User", "ann"), ("Item", "absent")),
        lambda a: a.table("absent"),
        lambda a: a.table("user_story"),
    ],
)
def test_what_is_not_there_is_named(analyst: Analyst, ask: object) -> None:
    with pytest.raises(InvalidRequest):
        ask(analyst)  # type: ignore[operator]


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(GraphUnavailable, match="clew up"):
        Analyst("bolt://127.0.0.1:1", "neo4j", "x")


def test_missing_packages_are_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyst_module, "MISSING", ["py2neo", "pandas"])
    with pytest.raises(MissingExtra, match=r"needs py2neo, pandas: pip install 'clew\[analyst\]'"):
        Analyst("bolt://127.0.0.1:1", "neo4j", "x")


def test_what_serves_imports_none_of_it() -> None:
    code = (
        "import sys, clew.serve, clew.cli\n"
        "print(sorted({'py2neo', 'networkx', 'matplotlib', 'rdflib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
