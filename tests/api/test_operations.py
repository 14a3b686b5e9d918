"""Health and metrics."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from api import watch
from api.edge import Edge
from api.services import Services
from api.watch import INTERVAL_S, SLOW_S, GraphWatch, LagClock
from clew.writer import drain_once
from domain.errors import GraphUnavailable
from graph import server as neo4j_server
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.world import World
from tests.api.conftest import Live

EVENT = {"user_id": "hal", "item_id": "alien", "kind": "view"}


class Absent:
    """A Neo4j that is away. Its record of calls is not needed: every one fails."""

    def verify(self) -> str:
        raise GraphUnavailable("no Neo4j runs here; run `clew up`")

    def writer_offset(self) -> int:
        raise GraphUnavailable("no Neo4j runs here; run `clew up`")


def test_ready_says_how_neo4j_the_model_and_the_writer_are(live: Live, graph: GraphStore) -> None:
    found = _ready_when(live, lambda seen: seen["graph"]["ok"])
    assert found["status"] == "ready"
    assert found["model_version"] == live.services.world.model_version
    assert found["graph"]["version"] == graph.verify()
    live.client.post("/v1/events", json={"events": [EVENT, EVENT]})
    assert _ready_when(live, lambda seen: seen["log_offset"] == 2)["graph"]["writer_lag"] == 2 - graph.writer_offset()


def test_what_is_acknowledged_reaches_neo4j_and_the_lag_goes_to_none(live: Live, graph: GraphStore) -> None:
    live.client.post("/v1/events", json={"events": [{**EVENT, "event_id": "drained"}]})
    before = graph.counts()["events"]
    start = graph.writer_offset()
    if start == 0:  # the log of this test begins at 1; an earlier test's offset would hide it
        assert drain_once(live.services.log, graph) == 1
        assert drain_once(live.services.log, graph) == 0
        assert graph.counts()["events"] == before + 1


def test_without_neo4j_it_is_degraded_and_still_200(offline: Live) -> None:
    answer = offline.client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["graph"]["ok"] is False


def test_without_a_model_it_is_degraded(log: Log, start: Callable[..., Live]) -> None:
    world = World(log)
    live = start(Services(recommender=Recommender(world, None), world=world, log=log))
    assert live.client.get("/health/ready").json()["status"] == "degraded"
    ranked = live.client.post("/recommend", json={"user_id": "ann"}).json()
    assert (ranked["items"], ranked["fallback"]) == ([], True)


def test_when_the_log_cannot_be_read_it_is_unready(offline: Live) -> None:
    offline.services.log.close()
    answer = offline.client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "unready")
    assert offline.client.get("/health/live").json() == {"status": "live"}


def test_the_watch_keeps_the_last_offset_while_neo4j_is_away() -> None:
    state = GraphWatch(Absent(), lambda: 0).look()
    assert (state.ok, state.writer_offset, state.error) == (False, None, "no Neo4j runs here; run `clew up`")


def test_a_neo4j_that_stands_still_is_said_to_within_seconds(
    live: Live, server: tuple[ServerConfig, Connection]
) -> None:
    _ready_when(live, lambda seen: seen["graph"]["ok"])
    pid = neo4j_server.status(server[0]).pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    stopped_at = time.monotonic()
    try:
        found = _ready_when(live, lambda seen: not seen["graph"]["ok"])
        assert time.monotonic() - stopped_at < INTERVAL_S + SLOW_S + 1
    finally:
        os.kill(pid, signal.SIGCONT)
    assert found["status"] == "degraded"
    assert found["graph"]["error"].startswith("Neo4j has not answered for ")
    assert _ready_when(live, lambda seen: seen["graph"]["ok"])["status"] == "ready"


def test_a_neo4j_that_is_slow_does_not_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        takes_s = 0.0

        def verify(self) -> str:
            time.sleep(self.takes_s)
            return "2026.08.1"

        def writer_offset(self) -> int:
            return 0

    monkeypatch.setattr(watch, "SLOW_S", 0.4)
    monkeypatch.setattr(watch, "PROMPT_S", 0.2)
    graph, seen = Slow(), list[bool]()
    looking = GraphWatch(graph, lambda: 0)  # type: ignore[arg-type]
    for graph.takes_s in (0.0, 0.3, 0.5, 0.3, 0.5, 0.0, 0.3):
        seen.append(looking.look().ok)
    assert seen == [True, True, False, False, False, True, True]


def test_writes_are_refused_while_neo4j_is_too_far_behind(services: Services, start: Callable[..., Live]) -> None:
    live = start(services, backlog_limit=1)
    _ready_when(live, lambda seen: seen["graph"]["ok"])
    post = lambda: live.client.post("/v1/events", json={"events": [EVENT]})  # noqa: E731 said three times below
    written = live.services.graph.writer_offset() if live.services.graph else 0
    answers = [post() for _ in range(written + 3)]
    assert answers[0].status_code == 202
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (503, "backlog")
    assert answers[-1].headers["retry-after"] == "5"
    assert live.client.post("/recommend", json={"user_id": "ann"}).status_code == 200


def test_metrics_count_by_route_and_never_by_id(offline: Live) -> None:
    for user_id in ("ann", "bob", "nobody"):
        offline.client.get(f"/v1/users/{user_id}")
    offline.client.post("/v1/events", json={"events": [EVENT, {}]})
    page = offline.client.get("/metrics").text
    assert 'clew_http_requests_total{method="GET",route="/v1/users/{user_id}",status="200"} 2.0' in page
    assert 'clew_http_requests_total{method="GET",route="/v1/users/{user_id}",status="404"} 1.0' in page
    assert 'clew_events_total{verdict="accepted"} 1.0' in page
    assert 'clew_events_total{verdict="rejected"} 1.0' in page
    assert "clew_log_offset 1.0" in page
    assert "ann" not in page


def test_an_error_that_nobody_foresaw_is_a_problem_that_tells_nothing(
    tmp_path: Path, start: Callable[..., Live], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Recommender):
        def profile(self, user_id: str) -> object:  # type: ignore[override]
            raise ZeroDivisionError("a secret")

    with Log(tmp_path / "broken.db") as log:
        world = World(log)
        live = start(Services(recommender=Broken(world, None), world=world, log=log))
        answer = live.client.get("/v1/users/ann", headers={"X-Request-ID": "r1"})
        assert (answer.status_code, answer.json()["code"], answer.json()["request_id"]) == (500, "internal_error", "r1")
        assert "secret" not in answer.text
        assert answer.headers["x-request-id"] == "r1"
    assert "a secret" in caplog.text
    assert Edge.__module__ == "api.edge"


def _ready_when(live: Live, holds: Callable[[dict], bool], timeout_s: float = 10) -> dict:  # type: ignore[type-arg]
    deadline = time.monotonic() + timeout_s
    while True:
        seen = live.client.get("/health/ready").json()
        if holds(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(0.1)


def test_the_age_of_what_waits_is_that_of_the_oldest_record() -> None:
    """The log grows to 10 at second 100 and to 30 at second 110; the writer follows."""
    clock = LagClock()
    assert clock.look(100, 10, 0) == 0
    assert clock.look(104, 10, 0) == 4
    assert clock.look(110, 30, 5) == 10  # records 6 to 10 have waited since 100
    assert clock.look(112, 30, 10) == 2
    assert clock.look(114, 30, 30) == 0
    assert clock.look(200, 31, 30) == 0
    assert clock.look(203, 31, 30) == 3
