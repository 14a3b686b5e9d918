"""An explanation as text, graph files and pictures; context, rules and witnesses in it."""

import io
from importlib import util

import networkx as nx
import pytest

from domain.errors import InvalidRequest, MissingExtra
from ingest.log import Log
from recommend import formats
from recommend.formats import accepted, rendered
from recommend.recommender import Recommender
from recommend.request import ExplainRequest
from recommend.world import World
from tests.recommend.small_model import small_artifact


def test_graphml_has_every_edge_of_every_path(recommender: Recommender) -> None:
    graph = nx.read_graphml(io.BytesIO(rendered(recommender.explain("ann", "jackie"), "graphml")))
    assert {"User:ann", "Item:jackie", "Director:tarantino", "Item:kill"} <= set(graph.nodes)
    edges = {(start, end): edge for start, end, edge in graph.edges(data=True)}
    assert edges["User:ann", "Item:kill"]["kind"] == "rate"
    assert edges["Item:jackie", "Director:tarantino"]["type"] == "DIRECTED_BY"
    assert edges["Item:kill", "Director:tarantino"]["state"] == "unchecked"


def test_node_link_json_reads_back_as_the_same_graph(recommender: Recommender) -> None:
    import json

    explained = recommender.explain("ann", "diehard")
    graph = nx.node_link_graph(json.loads(rendered(explained, "node-link")), edges="edges")
    assert graph.nodes["others:pulp"]["count"] == 7
    assert ("others:pulp", "Item:diehard") in graph.edges()
    assert graph.graph["item_id"] == "diehard"


def test_an_edge_of_several_reasons_is_drawn_once_with_their_shares(recommender: Recommender) -> None:
    import json

    explained = recommender.explain("ann", "diehard")
    graph = nx.node_link_graph(json.loads(rendered(explained, "node-link")), edges="edges")
    shares = [edge["share"] for _, _, edge in graph.out_edges("User:ann", data=True)]
    assert sum(shares) == pytest.approx(sum(reason.share for reason in explained.reasons if reason.path))


@pytest.mark.parametrize("item_id", ["jackie", "diehard", "blank"])
def test_pictures_are_made_with_and_without_paths(recommender: Recommender, item_id: str) -> None:
    explained = recommender.explain("ann", item_id)
    assert rendered(explained, "png").startswith(b"\x89PNG")
    svg = rendered(explained, "svg").decode()
    assert "<svg" in svg
    assert explained.name in svg


def test_text_has_parts_and_reasons(recommender: Recommender) -> None:
    told = rendered(recommender.explain("ann", "diehard"), "text").decode()
    assert "entity" in told
    assert "7 people who took Pulp Fiction also took this" in told


def test_an_unknown_format_is_refused(recommender: Recommender) -> None:
    with pytest.raises(InvalidRequest, match="no format 'pdf'"):
        rendered(recommender.explain("ann", "jackie"), "pdf")


def test_without_the_extra_the_error_says_what_to_install(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = util.find_spec
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "matplotlib" else found(name))
    with pytest.raises(MissingExtra, match=r"png needs matplotlib: pip install 'clew\[analyst\]'"):
        rendered(recommender.explain("ann", "jackie"), "png")


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("image/png", "png"),
        ("image/svg+xml;q=0.9, image/png", "svg"),
        ("text/html,application/xml;q=0.9,image/png,image/svg+xml,*/*;q=0.8", "json"),  # a browser's address bar
        ("application/graphml+xml", "graphml"),
    ],
)
def test_the_accept_header_chooses_the_format(accept: str, name: str) -> None:
    assert accepted(accept) == name


def test_a_shared_attribute_without_weight_is_context_and_says_so(log: Log) -> None:
    """Without a model nothing carries weight, and what is shared is told all the same."""
    recommender = Recommender(World(log, snapshot=small_artifact().snapshot), None)
    reasons = recommender.explain("ann", "jackie").reasons
    context = [reason for reason in reasons if reason.context]
    assert [reason.code for reason in context] == ["context", "context"]
    assert (
        context[0].text
        == "Also has the same director as Kill Bill, which you rated 4: Quentin Tarantino; that had no weight"
    )
    assert all(reason.share == 0 and reason.path is not None for reason in context)


def test_what_carried_weight_is_no_context(recommender: Recommender) -> None:
    for item_id in ("jackie", "kill2", "diehard", "blade"):
        assert not any(reason.context for reason in recommender.explain("ann", item_id).reasons)


def test_a_hub_is_never_looked_through(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommend.context.MOST_ITEMS", 4)  # five films are by Tarantino, and five about crime
    recommender = Recommender(World(log, snapshot=small_artifact().snapshot), None)
    assert not any(reason.context for reason in recommender.explain("ann", "jackie").reasons)


def test_each_path_has_its_statement_and_the_address_that_opens_it(world: World) -> None:
    recommender = Recommender(world, None, browser="http://127.0.0.1:17474/browser/")
    for reason in recommender.explain("ann", "diehard").reasons:
        assert reason.cypher is not None
        assert reason.cypher.startswith("CYPHER 25 MATCH path")
        assert reason.browser_url is not None
        assert reason.browser_url.startswith("http://127.0.0.1:17474/browser/?cmd=edit&arg=CYPHER%2025%20MATCH")


def test_a_witness_is_named_only_where_one_is_asked_for(recommender: Recommender) -> None:
    def witnesses(*, asked: bool) -> list[str | None]:
        request = ExplainRequest(user_id="ann", item_id="diehard", has_witness=asked)
        reasons = recommender.explain_fully(request).reasons
        return [node.witness for one in reasons if one.path for node in one.path.nodes if node.count is not None]

    assert witnesses(asked=False) == [None]
    assert witnesses(asked=True)[0] in {"c1", "c2", "c3", "c4", "c5", "c6", "eve"}
