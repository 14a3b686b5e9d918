"""Rules over HTTP, on one server and on two; and in the real Neo4j."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from api.keys import new_key
from api.services import Services
from clew.writer import drain_once
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.world import World
from tests.api.conftest import Live
from tests.recommend.small_model import crowded_dataset, small_artifact
from tests.servers import ask

HIDE = {"consequence": {"effect": "hide", "target": {"item_ids": ["alien"]}}}
PIN = {"consequence": {"effect": "pin", "item_id": "diehard", "position": 1}, "description": "for the anniversary"}


def top(server: Live, query: str = "") -> list[str]:
    return [one["item_id"] for one in server.client.get(f"/v1/users/ann/recommendations{query}").json()["items"]]


def test_a_rule_is_made_read_listed_and_deleted(offline: Live) -> None:
    made = offline.client.put("/v1/rules/anniversary", json=PIN)
    assert (made.status_code, made.json()["rule"]) == (201, PIN)
    assert offline.client.get("/v1/rules/anniversary").json() == made.json()
    assert [one["rule_id"] for one in offline.client.get("/v1/rules").json()["rules"]] == ["anniversary"]
    assert top(offline)[0] == "diehard"
    assert offline.client.delete("/v1/rules/anniversary").status_code == 204
    assert offline.client.delete("/v1/rules/anniversary").json()["code"] == "unknown_rule"
    assert top(offline)[0] == "jackie"


def test_the_same_rule_twice_is_one_version(offline: Live) -> None:
    first = offline.client.put("/v1/rules/gone", json=HIDE)
    again = offline.client.put("/v1/rules/gone", json=HIDE)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["ETag"] == first.headers["ETag"] == f'"{first.json()["version"]}"'
    assert len(offline.client.get("/v1/rules/gone/versions").json()["versions"]) == 1


def test_a_truth_in_place_of_a_number_is_another_rule(offline: Live) -> None:
    """Filters tell 1 and true apart."""
    for version, value in ((1, 1), (2, True)):
        target = {"filter": {"field": "year", "op": "eq", "value": value}}
        rule = {"consequence": {"effect": "hide", "target": target}}
        stored = offline.client.put("/v1/rules/one", json=rule).json()
        assert stored["version"] == version
        assert stored["rule"]["consequence"]["target"]["filter"]["value"] is value


def test_a_change_of_another_version_than_there_is_is_refused(offline: Live) -> None:
    tag = offline.client.put("/v1/rules/gone", json=HIDE, headers={"If-Match": "0"}).headers["ETag"]
    off = HIDE | {"enabled": False}
    assert offline.client.put("/v1/rules/gone", json=off, headers={"If-Match": '"999"'}).status_code == 412
    assert (
        offline.client.put("/v1/rules/gone", json=off, headers={"If-Match": "0"}).json()["code"] == "version_mismatch"
    )
    changed = offline.client.put("/v1/rules/gone", json=off, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["version"] > int(tag.strip('"'))) == (200, True)
    assert offline.client.delete("/v1/rules/gone", headers={"If-Match": tag}).status_code == 412
    assert offline.client.put("/v1/rules/gone", json=off, headers={"If-Match": "first"}).status_code == 422


def test_the_version_says_whose_key_made_it(start: Callable[..., Live], offline_services: Services) -> None:
    secret, key = new_key("mia", "write")
    server = start(offline_services, keys=(key,))
    headers = {"X-API-Key": secret}
    assert server.client.put("/v1/rules/gone", json=HIDE).status_code == 401
    made = server.client.put("/v1/rules/gone", json=HIDE, headers=headers).json()
    assert made["updated_by"] == "mia"


def test_a_rule_that_cannot_work_names_its_field(shared: Live) -> None:
    answer = shared.client.put("/v1/rules/x", json={"consequence": {"effect": "pin", "item_id": "alien"}})
    assert (answer.status_code, answer.json()["field"]) == (422, "consequence.position")
    answer = shared.client.put("/v1/rules/x", json={"consequence": {"effect": "sing"}})
    assert answer.status_code == 422


def test_a_preview_shows_lists_before_and_after_and_stores_nothing(offline: Live) -> None:
    asked = {"rule": PIN | {"enabled": False}, "user_ids": ["ann", "zoe"], "n": 3}
    found = offline.client.post("/v1/rules/preview", json=asked).json()
    ann = found["lists"][0]
    assert [(one["item_id"], one["moved"]) for one in ann["before"]] == [("jackie", -1), ("kill2", -1), ("alien", None)]
    assert [(one["item_id"], one["moved"]) for one in ann["after"]] == [
        ("diehard", None),
        ("jackie", -1),
        ("kill2", -1),
    ]
    assert (found["changed"], ann["after"][0]["rules"]) == (
        2,
        [{"rule_id": "draft", "effect": "pin", "value": 1.0}],
    )
    assert offline.client.get("/v1/rules").json() == {"rules": []}
    assert top(offline)[0] == "jackie"
    assert len(offline.client.post("/v1/rules/preview", json={"rule": PIN}).json()["lists"]) == 5


@pytest.mark.parametrize(
    ("condition", "known"), [({"segments": ["beginner"]}, "segment"), ({"profile": {"country": ["NL"]}}, "country")]
)
def test_a_preview_is_of_users_for_whom_the_rule_holds(offline: Live, condition: dict[str, Any], known: str) -> None:
    found = offline.client.post("/v1/rules/preview", json={"rule": PIN | {"condition": condition}}).json()
    users = [offline.client.get(f"/v1/users/{one['user_id']}").json() for one in found["lists"]]
    assert users
    assert {one["segment"] if known == "segment" else one["static"]["country"] for one in users} < {"beginner", "NL"}


def test_a_preview_of_a_rule_that_holds_for_nobody_is_of_anybody(offline: Live) -> None:
    rule = PIN | {"condition": {"profile": {"country": ["nowhere"]}}}
    found = offline.client.post("/v1/rules/preview", json={"rule": rule}).json()
    assert (len(found["lists"]), found["changed"]) == (5, 0)


def test_a_preview_is_of_the_time_that_it_is_asked_for(offline: Live) -> None:
    rule = PIN | {"validity": {"from": "2030-01-01T00:00:00Z"}}
    for at, first in (("2029-12-31T23:59:59Z", "jackie"), ("2030-01-01T00:00:00Z", "diehard")):
        asked = {"rule": rule, "user_ids": ["ann"], "at": at}
        assert offline.client.post("/v1/rules/preview", json=asked).json()["lists"][0]["after"][0]["item_id"] == first


def test_lists_over_http_take_the_dials_a_cap_a_query_and_a_placement(offline: Live) -> None:
    offline.client.put("/v1/rules/gone", json=HIDE | {"condition": {"placements": ["home"]}})
    assert top(offline, "?max_per_entity=Director:1") == ["jackie", "alien", "diehard"]
    assert top(offline, "?placement=home") == ["jackie", "kill2", "blade", "diehard"]
    assert top(offline, "?query=kill bill") == ["kill2"]
    assert sorted(top(offline, "?query=SCOTT&exclude_seen=false")) == ["alien", "blade", "thelma"]
    assert top(offline, "?query=nowhere") == []
    assert top(offline, "?diversity=1") == ["jackie", "kill2", "alien", "diehard", "blade"]  # blade is just like alien
    body = {"user_id": "ann", "max_per_entity": {"type": "Director", "max": 1}, "diversity": 0, "calibration": 0.5}
    assert offline.client.post("/v1/recommendations", json=body).status_code == 200
    for wrong in ("max_per_entity=Director", "max_per_entity=X:2", "diversity=2", "query=%3F", "calibration=nan"):
        assert offline.client.get(f"/v1/users/ann/recommendations?{wrong}").status_code == 422


@pytest.fixture
def two(tmp_path: Path, start: Callable[..., Live]) -> Iterator[tuple[Live, Live]]:
    logs = [Log(tmp_path / "log.db") for _ in range(2)]
    worlds = [World(log, artifact=small_artifact()) for log in logs]
    pairs = zip(worlds, logs, strict=True)
    yield tuple(start(Services(recommender=Recommender(world, None), world=world, log=log)) for world, log in pairs)  # type: ignore[misc]
    for log in logs:
        log.close()


def test_what_is_hidden_on_one_server_is_hidden_on_the_other_within_a_second_without_neo4j(
    two: tuple[Live, Live],
) -> None:
    here, there = two
    assert "alien" in top(there)
    begin = time.monotonic()
    here.client.put("/v1/rules/gone", json=HIDE).raise_for_status()
    assert "alien" not in top(there)
    assert time.monotonic() - begin < 1


def test_versions_are_in_neo4j_and_those_not_yet_there_say_so(
    live: Live, graph: GraphStore, server: tuple[ServerConfig, Connection]
) -> None:
    _, connection = server
    try:
        live.client.put("/v1/rules/gone", json=HIDE).raise_for_status()
        live.client.put("/v1/rules/gone", json=HIDE | {"enabled": False, "author": "mia"}).raise_for_status()
        drain_once(live.services.log, graph)
        live.client.delete("/v1/rules/gone").raise_for_status()
        told = live.client.get("/v1/rules/gone/versions").json()
        assert [(one["state"], one["rule"] and one["rule"].get("enabled", True)) for one in told["versions"]] == [
            ("pending", None),
            ("stored", False),
            ("stored", True),
        ]
        assert told["complete"]
        assert [one["by"] for one in told["versions"]] == ["local", "mia", "local"]
        found = ask(connection, "MATCH (r:Rule)-[:HAS_VERSION]->(v:RuleVersion) RETURN r.id AS id, v.effect AS effect")
        assert found == [{"id": "gone", "effect": "hide"}] * 2
    finally:
        ask(connection, "MATCH (n) DETACH DELETE n")
        graph.load(crowded_dataset())


def test_a_query_is_asked_of_the_full_text_index(live: Live) -> None:
    answer = live.client.get("/v1/users/zoe/recommendations?query=kill bill").json()
    assert [one["item_id"] for one in answer["items"]] == ["kill", "kill2"]
    by_entity = live.client.get("/v1/users/zoe/recommendations?query=uma thurman").json()
    assert {one["item_id"] for one in by_entity["items"]} == {"pulp", "kill", "kill2"}
