"""Paths and cold starts against a real Neo4j that holds the crowded world."""

import threading
from collections.abc import Iterator, Mapping

import pytest

from domain.answers import Path as AnswerPath
from domain.answers import RankedList
from domain.dataset_snapshot import snapshot_of
from domain.errors import InvalidRequest
from domain.records import Event, ItemPut, RelationEnd
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.request import ExplainRequest, Preference, RecommendRequest, SessionEvent
from recommend.world import World
from tests.ports import free_port
from tests.recommend.small_model import crowded_dataset
from tests.servers import ask
from tests.world import world_time

PATIENT_S = 20.0  # a budget that no slow machine runs out of


@pytest.fixture(scope="module")
def store(server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    _, connection = server
    ask(connection, "MATCH (n) DETACH DELETE n")
    with GraphStore(connection.uri, connection.username, connection.password) as opened:
        opened.install_schema(crowded_dataset().declaration)
        opened.load(crowded_dataset())
        yield opened
    ask(connection, "MATCH (n) DETACH DELETE n")


@pytest.fixture
def with_graph(world: World, store: GraphStore) -> Recommender:
    recommender = Recommender(world, store, verify_timeout_s=PATIENT_S)
    recommender.warm_up()
    return recommender


class Hanging:
    """A graph whose answers take a minute, as of a server that is stopped in the middle of a question."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        self.released.wait(60)
        return []


class Counting:
    """Neo4j, with every statement that it was asked."""

    def __init__(self, store: GraphStore) -> None:
        self._store = store
        self.asked: list[str] = []

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        self.asked.append(statement)
        return self._store.rows(statement, parameters, timeout_s=timeout_s)


def paths(answer: RankedList) -> list[AnswerPath]:
    return [reason.path for item in answer.items for reason in item.reasons if reason.path is not None]


def test_every_shown_path_is_found_in_neo4j(with_graph: Recommender) -> None:
    answer = with_graph.recommend(RecommendRequest(user_id="ann"))
    assert len(paths(answer)) == 2 + 3 + 1 + 1 + 3  # jackie, kill2, alien, blade, diehard
    assert {edge.state for path in paths(answer) for edge in path.edges} == {"stored"}
    assert all(path.verified for path in paths(answer))


def test_paths_of_sessions_and_of_stated_tastes_are_found_too(with_graph: Recommender) -> None:
    for request in (
        RecommendRequest(session=(SessionEvent("thelma"), SessionEvent("pulp"))),
        RecommendRequest(user_id="fay"),
        RecommendRequest(preferences=(Preference("Genre:crime"),)),
    ):
        answer = with_graph.recommend(request)
        assert len(paths(answer)) >= len(answer.items) > 0
        assert all(path.verified for path in paths(answer))


def test_a_list_asks_one_question_and_a_second_one_only_where_an_edge_is_gone(
    world: World, store: GraphStore, server: tuple[ServerConfig, Connection]
) -> None:
    _, connection = server
    graph = Counting(store)
    recommender = Recommender(world, graph, verify_timeout_s=PATIENT_S)
    assert all(path.verified for path in paths(recommender.recommend(RecommendRequest(user_id="ann"))))
    assert graph.asked == ["explain/verify_edges"]
    ask(connection, "MATCH (:Item {id: 'kill'})-[r:HAS_GENRE]->(:Entity {id: 'Genre:action'}) DELETE r")
    try:
        answer = recommender.recommend(RecommendRequest(user_id="ann", item_ids=("kill2",)))
    finally:
        two = "MATCH (i:Item {id: 'kill'}), (e:Entity {id: 'Genre:action'})"
        ask(connection, f"{two} CREATE (i)-[:HAS_GENRE]->(e)")
    assert all("Kill Bill, which" not in reason.text for reason in answer.items[0].reasons if "genre" in reason.text)
    assert graph.asked[1:] in (["explain/verify_edges"], ["explain/verify_edges"] * 2)


def test_an_edge_that_somebody_removed_is_no_reason_any_more(
    with_graph: Recommender, server: tuple[ServerConfig, Connection]
) -> None:
    _, connection = server
    ends = "(:Item {id: 'jackie'})-[r:DIRECTED_BY]->(:Entity {id: 'Director:tarantino'})"
    ask(connection, f"MATCH {ends} DELETE r")
    try:
        answer = with_graph.recommend(RecommendRequest(user_id="ann", item_ids=("jackie",)))
    finally:
        two = "MATCH (i:Item {id: 'jackie'}), (e:Entity {id: 'Director:tarantino'})"
        ask(connection, f"{two} CREATE (i)-[:DIRECTED_BY]->(e)")
    assert [reason.text for reason in answer.items[0].reasons] == [
        "Same genre as 4 of yours, such as Heat, which you rated 4: crime"
    ]


def test_an_edge_is_pending_until_the_writer_has_drained_the_log(
    log: Log, with_graph: Recommender, store: GraphStore
) -> None:
    item = ItemPut(
        item_id="hateful",
        name="The Hateful Eight",
        item_kind="film",
        available=True,
        created_at=None,
        properties={},
        relations=(RelationEnd(type="DIRECTED_BY", entity_id="Director:tarantino"),),
    )
    event = Event(event_id="x1", user_id="hal", item_id="pulp", kind="like", at=world_time(50))
    log.append([item, event])
    request = RecommendRequest(user_id="hal", item_ids=("hateful",))
    (before,) = paths(with_graph.recommend(request))
    assert [edge.state for edge in before.edges] == ["pending", "stored", "pending"]
    assert not before.verified
    store.apply(log.read(0), partition="pending-test")
    (after,) = paths(with_graph.recommend(request))
    assert [edge.state for edge in after.edges] == ["stored"] * 3
    assert after.verified


def test_stated_tastes_are_ranked_by_what_the_graph_says(store: GraphStore, log: Log) -> None:
    """Without a model only Cypher speaks: Scott has 3 films, crime 5; a rarer entity is worth more."""
    recommender = Recommender(World(log, snapshot=snapshot_of(crowded_dataset())), store)
    tastes = (Preference("Director:scott"), Preference("Genre:crime"))
    answer = recommender.recommend(RecommendRequest(preferences=tastes, n=4))
    assert (answer.strategy, answer.fallback, answer.model_version) == ("preferences", False, None)
    assert [item.item_id for item in answer.items[:3]] == ["thelma", "alien", "blade"]  # thelma has both
    assert answer.items[0].score > answer.items[1].score == answer.items[2].score > answer.items[3].score
    assert {reason.code for reason in answer.items[0].reasons} == {"stated_taste"}


def test_the_parts_of_a_taste_score_sum_with_what_cypher_adds(with_graph: Recommender) -> None:
    answer = with_graph.recommend(RecommendRequest(user_id="fay", n=1))
    explanation = with_graph.explain("fay", answer.items[0].item_id)
    parts = {part.name: part.value for part in explanation.parts}
    assert set(parts) == {"entity", "taste", "popularity", "cold_start"}
    assert parts["cold_start"] > 0
    assert sum(parts.values()) == pytest.approx(explanation.score, abs=1e-4)
    assert explanation.score == pytest.approx(answer.items[0].score, abs=1e-4)
    assert answer.fallback is False


def test_a_static_profile_gets_what_people_alike_took(with_graph: Recommender) -> None:
    """Ann and bob are in gus's age band; both took pulp, dogs, kill, heat and thelma. Only they have dogs."""
    answer = with_graph.recommend(RecommendRequest(user_id="gus"))
    assert (answer.strategy, answer.fallback) == ("cold_start", False)
    assert {item.item_id for item in answer.items} == {"pulp", "dogs", "kill", "heat", "thelma"}
    assert answer.items[0].item_id == "dogs"  # 2 events in all: the largest lift
    assert answer.items[-1].item_id == "pulp"  # everybody takes it
    assert answer.items[0].reasons[0].code == "similar_people"
    assert answer.items[0].reasons[0].text == "Taken by people like you (20 to 29)"  # 2 of 2 are too few to count


def test_the_statement_of_an_explanation_opens_its_path(
    with_graph: Recommender, server: tuple[ServerConfig, Connection]
) -> None:
    _, connection = server
    for user_id, item_id in (("ann", "jackie"), ("ann", "diehard"), ("fay", "pulp")):
        explanation = with_graph.explain(user_id, item_id)
        assert explanation.cypher is not None
        found = ask(connection, explanation.cypher)
        assert len(found) >= 1
        assert explanation.reasons[0].path is not None
        assert explanation.reasons[0].path.verified


def test_with_neo4j_down_lists_are_the_same_and_paths_unchecked(world: World, with_graph: Recommender) -> None:
    with GraphStore(f"bolt://127.0.0.1:{free_port()}", "neo4j", "nobody listens") as down:
        without = Recommender(world, down)
        request = RecommendRequest(user_id="ann")
        here, there = with_graph.recommend(request), without.recommend(request)
        assert [(i.item_id, i.score) for i in here.items] == [(i.item_id, i.score) for i in there.items]
        assert {edge.state for path in paths(there) for edge in path.edges} == {"unchecked"}
        assert not any(path.verified for path in paths(there))
        tastes = without.recommend(RecommendRequest(user_id="fay"))
        assert (tastes.strategy, tastes.fallback, len(tastes.items) > 0) == ("preferences", True, True)
        alike = without.recommend(RecommendRequest(user_id="gus"))
        assert (alike.strategy, alike.fallback) == ("cold_start", True)
        assert alike.items[0].reasons[0].code == "popular"


def test_a_graph_that_hangs_holds_up_no_answer(world: World) -> None:
    graph = Hanging()
    try:
        answer = Recommender(world, graph, verify_timeout_s=0.02).recommend(RecommendRequest(user_id="ann"))
    finally:
        graph.released.set()
    assert len(answer.items) == 5
    assert not any(path.verified for path in paths(answer))
    assert answer.took_ms < 10_000


def test_a_path_names_the_event_and_the_event_can_be_left_out(with_graph: Recommender) -> None:
    explained = with_graph.explain("ann", "jackie")
    path = explained.reasons[0].path
    assert path is not None
    assert [edge.event_id for edge in path.edges] == ["e04", None, None]  # the rating of Kill Bill
    request = ExplainRequest(user_id="ann", item_id="jackie", without=("e04",), has_counterfactual=True, n=1)
    changed = with_graph.explain_fully(request)
    assert changed.change is not None
    assert changed.change.stated_change == pytest.approx(-4 * 0.8, abs=1e-4)  # the view of it stays
    assert changed.score == pytest.approx(explained.score + changed.change.score_change)
    assert changed.counterfactual is not None
    assert all(event.event_id for one in changed.counterfactual.removed for event in one.events)


def test_an_event_of_somebody_else_cannot_be_left_out(with_graph: Recommender) -> None:
    with pytest.raises(InvalidRequest, match="no event of the user 'ann'"):
        with_graph.recommend(RecommendRequest(user_id="ann", without=("e09",)))


@pytest.mark.parametrize(
    "asked",
    [
        RecommendRequest(session=(SessionEvent("pulp"),)),
        RecommendRequest(preferences=(Preference("Director:tarantino"),)),
    ],
)
def test_reasons_of_somebody_not_stored_are_found_in_the_graph_and_their_statements_run(
    with_graph: Recommender, server: tuple[ServerConfig, Connection], asked: RecommendRequest
) -> None:
    explained = with_graph.explain_in(asked, with_graph.recommend(asked).items[0].item_id)
    paths = [reason.path for reason in explained.reasons if reason.path is not None]
    assert paths
    assert all(path.verified for path in paths)
    for reason in explained.reasons:
        assert reason.cypher is None or ask(server[1], reason.cypher), reason.cypher
