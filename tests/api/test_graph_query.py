"""POST /v1/graph/query: read-only Cypher for analysts."""

import time
from collections.abc import Callable
from threading import BoundedSemaphore, Thread

import httpx
import pytest

from api.keys import new_key
from api.routes import graph as graph_route
from api.services import Services
from graph.store import GraphStore
from tests.api.conftest import Live


@pytest.fixture
def asked(services: Services, graph: GraphStore, start: Callable[..., Live]) -> Live:
    return start(services, graph=graph)


def ask(live: Live, query: str, **more: object) -> httpx.Response:
    return live.client.post("/v1/graph/query", json={"query": query, **more})


def test_rows_come_with_their_columns(asked: Live) -> None:
    answer = ask(
        asked,
        "MATCH (u:User {id: $id})-[e:INTERACTED]->() RETURN u.id AS user, count(e) AS events",
        parameters={"id": "ann"},
    )
    body = answer.json()
    assert answer.status_code == 200
    assert (body["columns"], body["rows"], body["truncated"]) == (["user", "events"], [["ann", 8]], False)
    assert body["took_ms"] > 0


@pytest.mark.parametrize(
    ("query", "code"),
    [("MATCH (n RETURN n", "invalid_query"), ("MATCH (n) DELETE n", "query_refused"), ("SHOW USERS", "query_refused")],
)
def test_what_cannot_be_run_is_422(asked: Live, query: str, code: str) -> None:
    answer = ask(asked, query)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, "query")


def test_a_problem_names_the_place_in_the_query(asked: Live) -> None:
    answer = ask(asked, "MATCH (n:Item)\nRETURN m")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["position"] == {"line": 2, "column": 8, "offset": 22}
    assert answer.json()["detail"] == "Variable `m` not defined (line 2, column 8)"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": 1},
        {"query": "RETURN 1", "limit": 0},
        {"query": "RETURN 1", "timeout_s": 61},
        {"query": "RETURN $x", "parameters": {"x": 10**30}},
        {"query": "RETURN 1", "more": 1},
    ],
)
def test_nonsense_is_422(asked: Live, body: dict[str, object]) -> None:
    assert asked.client.post("/v1/graph/query", json=body).status_code == 422


def test_only_analysts_and_admins_may_ask(services: Services, graph: GraphStore, start: Callable[..., Live]) -> None:
    made = {scope: new_key(scope, scope) for scope in ("read", "write", "analyst", "admin")}
    live = start(services, graph=graph, keys=tuple(known for _, known in made.values()))
    found = {
        scope: live.client.post("/v1/graph/query", json={"query": "RETURN 1"}, headers={"X-API-Key": key}).status_code
        for scope, (key, _) in made.items()
    }
    assert found == {"read": 403, "write": 403, "analyst": 200, "admin": 200}


def test_a_query_that_neo4j_does_not_end_is_answered_in_time_and_keeps_its_place(
    asked: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neo4j looks at the clock between rows, and this is one row of some seconds."""
    monkeypatch.setattr(graph_route, "GRACE_S", 0.3)
    monkeypatch.setattr(graph_route, "_places", BoundedSemaphore(1))
    begun = time.monotonic()
    answer = ask(asked, "RETURN reduce(s = 0, i IN range(1, 60000000) | s + i)", timeout_s=0.2)
    assert (answer.status_code, answer.json()["code"]) == (422, "query_too_costly")
    assert time.monotonic() - begun < 1.5
    assert ask(asked, "RETURN 1").status_code == 503
    while ask(asked, "RETURN 1").status_code == 503:  # until that one has ended
        assert time.monotonic() - begun < 60
        time.sleep(0.1)


def test_without_neo4j_it_says_so(offline: Live) -> None:
    answer = ask(offline, "RETURN 1")
    assert (answer.status_code, answer.json()["code"]) == (503, "graph_unavailable")


def test_a_fifth_query_at_once_is_asked_to_come_back(asked: Live) -> None:
    slow = "UNWIND range(1, 1000000000) AS x RETURN count(x)"
    statuses: list[int] = []

    def work() -> None:
        answer = httpx.post(f"{asked.url}/v1/graph/query", json={"query": slow, "timeout_s": 1.5}, timeout=30)
        statuses.append(answer.status_code)

    threads = [Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [422, 422, 422, 422, 503]
