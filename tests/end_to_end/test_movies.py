"""The movies demo through its public API, and every shown edge looked up in Neo4j by the test itself."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import neo4j
import pytest

from tests.end_to_end.pages import ROOT, commands_of, shell

pytestmark = pytest.mark.timeout(900)

EDGE = (
    "MATCH (a:User|Item|Entity {id: $start})-[r]->(b:User|Item|Entity {id: $end}) WHERE type(r) = $type"
    " RETURN count(r) AS found"
)


@pytest.fixture(scope="module")
def graph(movies: Any) -> Iterator[neo4j.Driver]:
    with neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{movies.bolt_port}", auth=("neo4j", movies.password)) as driver:
        yield driver


def test_a_demo_that_was_killed_at_its_worst_moments_holds_everything_once(movies: Any, graph: neo4j.Driver) -> None:
    assert movies.killed == ("importing", "training", "publishing")
    counts = rows(
        graph,
        "MATCH (:User)-[r:INTERACTED]->(:Item) WHERE NOT r.event_id STARTS WITH 'tutorial' WITH count(r) AS events"
        " MATCH (u:User) WITH events, count(u) AS users"
        " MATCH (i:Item) WHERE NOT i.id STARTS WITH 'new-' WITH events, users, count(i) AS items,"
        " count(i.embedding) AS embeddings, count(DISTINCT i.embedding_version) AS versions RETURN *",
    )
    assert counts == [{"events": 100_000, "users": 943, "items": 1682, "embeddings": 1682, "versions": 1}]


def test_user_196_gets_five_unseen_films_with_names_scores_and_a_path_each(movies: Any, graph: neo4j.Driver) -> None:
    status, answer = post(movies, "/recommend", {"user_id": "196", "n": 5})
    assert status == 200
    assert answer["strategy"] == "model"
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    seen = {row["id"] for row in rows(graph, "MATCH (:User {id: '196'})-[:INTERACTED]->(i:Item) RETURN i.id AS id")}
    assert len(seen) >= 39
    for item in answer["items"]:
        assert item["item_id"] not in seen
        assert item["name"] != item["item_id"]
        assert any(reason["path"] for reason in item["reasons"])


def test_every_edge_of_every_shown_path_exists_with_both_ends(movies: Any, graph: neo4j.Driver) -> None:
    checked = 0
    for user_id in ("1", "196", "405", "655", "943"):
        _, answer = post(movies, "/recommend", {"user_id": user_id, "n": 10})
        for edge in (edge for path in paths(answer) for edge in path["edges"] if edge["start"] and edge["end"]):
            found = rows(graph, EDGE, start=edge["start"], end=edge["end"], type=edge["type"])[0]["found"]
            assert found >= 1, edge
            assert edge["state"] == "stored"
            checked += 1
    assert checked >= 100


def test_behavioural_counts_are_the_number_of_others_in_the_graph(movies: Any, graph: neo4j.Driver) -> None:
    """The group node of a "taken together" path counts the other users with both items."""
    both = (
        "MATCH (h:Item {id: $h})<-[:INTERACTED]-(u:User) WHERE u.id <> $user"
        " AND EXISTS { (u)-[:INTERACTED]->(:Item {id: $i}) } RETURN count(DISTINCT u) AS people"
    )
    checked = 0
    for user_id in ("1", "196", "405", "655", "943"):
        _, answer = post(movies, "/recommend", {"user_id": user_id, "n": 10})
        for path in paths(answer):
            group = [node for node in path["nodes"] if node.get("count")]
            if group:
                first, last = path["nodes"][1]["id"], path["nodes"][-1]["id"]
                stored = rows(graph, both, h=first, i=last, user=user_id)[0]["people"]
                assert 5 <= group[0]["count"] <= stored
                checked += 1
    assert checked >= 1


def test_the_explanation_parts_sum_to_the_score_that_was_shown(movies: Any) -> None:
    _, answer = post(movies, "/recommend", {"user_id": "196", "n": 3})
    for item in answer["items"]:
        _, explanation = get(movies, f"/v1/users/196/items/{item['item_id']}/explanation")
        assert explanation["score"] == pytest.approx(item["score"], abs=1e-4)
        assert sum(part["value"] for part in explanation["parts"]) == pytest.approx(item["score"], abs=1e-4)
        assert explanation["rank"] == item["rank"]


def test_given_items_are_ranked_and_no_others(movies: Any) -> None:
    wanted = ["50", "181", "1", "242", "no-such-film", "50"]
    status, answer = post(movies, "/recommend", {"user_id": "196", "item_ids": wanted})
    assert status == 200
    assert {item["item_id"] for item in answer["items"]} == {"50", "181", "1", "242"}
    assert answer["left_out"] == [{"item_id": "no-such-film", "code": "unknown_item"}]


def test_an_unknown_user_gets_popular_films_and_is_told_so(movies: Any) -> None:
    status, answer = post(movies, "/recommend", {"user_id": "nobody we know", "n": 5})
    assert (status, answer["strategy"], answer["fallback"], len(answer["items"])) == (200, "cold_start", True, 5)
    status, problem = get(movies, "/v1/users/nobody%20we%20know/recommendations?strict=true")
    assert (status, problem["code"]) == (404, "unknown_user")


def test_a_stranger_with_two_tastes_gets_paths_from_these_tastes(movies: Any, graph: neo4j.Driver) -> None:
    tastes = ["Genre:Crime", "Genre:Thriller"]
    body = {"preferences": [{"entity_id": taste, "weight": 1} for taste in tastes], "n": 5}
    status, answer = post(movies, "/v1/recommendations", body)
    assert (status, answer["strategy"], len(answer["items"])) == (200, "preferences", 5)
    for item in answer["items"]:
        shown = [path["nodes"] for reason in item["reasons"] for path in [reason["path"]] if path]
        assert any({node["id"] for node in nodes} & set(tastes) for nodes in shown), item


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/recommend", b"", 422, "invalid_request"),
        ("/recommend", b"{}", 422, "invalid_request"),
        ("/recommend", b'{"user_id": 1.5}', 422, "invalid_id"),
        ("/recommend", b'{"user_id": "196", "n": "many"}', 422, "invalid_request"),
        ("/recommend", b'{"user_id": "196", "n": 0}', 422, "invalid_request"),
        ("/recommend", b"x" * 10_000, 400, "invalid_json"),
        ("/recommend", json.dumps({"user_id": "x" * 10_000}).encode(), 422, "invalid_id"),
        ("/recommend", b'{"user_id": "\\ud800"}', 422, "invalid_request"),
    ],
)
def test_bad_bodies_get_the_documented_problem(movies: Any, path: str, body: bytes, status: int, code: str) -> None:
    answered, problem = send(movies, "POST", path, body)
    assert (answered, problem["code"]) == (status, code)
    assert problem["request_id"]


@pytest.mark.parametrize("user_id", ["a/b", "用户 ☃", "..%2f", "recommendations", "similar"])
def test_any_text_is_a_user_id(movies: Any, user_id: str) -> None:
    status, answer = get(movies, f"/v1/users/{urllib.parse.quote(user_id, safe='')}/recommendations?n=1")
    assert (status, answer["user_id"], len(answer["items"])) == (200, user_id, 1)


def test_the_demo_starts_the_console_and_prints_its_address(movies: Any) -> None:
    url = f"http://127.0.0.1:{movies.environment['CLEW_CONSOLE_PORT']}/"
    with urllib.request.urlopen(url, timeout=30) as page:
        assert page.status == 200
    assert f"console        {url}?user=" in movies.output.read_text()


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_every_command_of_the_page_works_on_the_movies_demo(movies: Any, page: str) -> None:
    ran = 0
    for command in commands_of(page):
        if command.startswith(("make ", "git ")):
            continue  # what made the demo and the tests run
        answer = shell(command.replace("http://127.0.0.1:8080", movies.url), movies.environment)
        if command.startswith("curl") and "/metrics" not in command and "| " not in command:
            assert "code" not in json.loads(answer), (command, answer)
        ran += 1
    assert ran >= 3


def test_the_answer_that_the_readme_shows_is_the_kind_of_answer_given(movies: Any) -> None:
    shown = re.search(r"^```json\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert shown
    shown_item = json.loads(shown.group(1))
    command = next(line for line in commands_of("README.md") if "/recommend " in line)
    answer = json.loads(shell(command.replace("http://127.0.0.1:8080", movies.url), movies.environment))
    given = answer["items"][0]
    assert set(shown_item) <= set(given)
    assert set(shown_item["reasons"][0]) <= set(given["reasons"][0])
    assert set(shown_item["reasons"][0]["path"]) == set(given["reasons"][0]["path"])


def post(demo: Any, path: str, body: object) -> tuple[int, Any]:
    return send(demo, "POST", path, json.dumps(body).encode())


def get(demo: Any, path: str) -> tuple[int, Any]:
    return send(demo, "GET", path, None)


def send(demo: Any, method: str, path: str, body: bytes | None) -> tuple[int, Any]:
    request = urllib.request.Request(demo.url + path, data=body, method=method)
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)


def paths(answer: Any) -> Iterator[Any]:
    for item in answer["items"]:
        yield from (reason["path"] for reason in item["reasons"] if reason["path"])


def rows(driver: neo4j.Driver, query: str, **parameters: object) -> list[dict[str, Any]]:
    return [record.data() for record in driver.execute_query(query, parameters, database_="neo4j").records]
