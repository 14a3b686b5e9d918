"""Answers fetched again, why-not, and why an item was recommended on a day: over HTTP, on the real Neo4j."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.keys import new_key
from api.services import Services
from domain.records import ItemPut, RelationEnd
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.log import Log
from recommend.ledger import Ledger
from recommend.recommender import Recommender
from tests.api.conftest import Live, running
from tests.servers import ask


@pytest.fixture
def keeping(services: Services, graph: GraphStore, log: Log, tmp_path: Path) -> Iterator[Services]:
    """Services whose answers are kept."""
    ledger = Ledger(tmp_path / "ledger.db", days=30, max_bytes=2**24, is_erased=log.is_erased)
    recommender = Recommender(services.world, graph, verify_timeout_s=5, ledger=ledger)
    yield replace(services, recommender=recommender, ledger=ledger)
    ledger.close()


@pytest.fixture
def kept(keeping: Services) -> Iterator[Live]:
    with running(keeping) as made:
        yield made


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def test_every_form_of_a_list_can_be_fetched_again(kept: Live) -> None:
    answers = [
        kept.client.post("/recommend", json={"user_id": "ann", "n": 3}).json(),
        kept.client.post("/v1/recommendations", json={"user_id": "ann", "n": 2, "item_kind": "film"}).json(),
        kept.client.get("/v1/users/ann/recommendations", params={"n": 1}).json(),
        kept.client.post("/v1/recommendations", json={"preferences": [{"entity_id": "Genre:scifi"}]}).json(),
    ]
    for answer in answers:
        again = kept.client.get(f"/v1/recommendations/{answer['recommendation_id']}")
        assert again.status_code == 200
        for name in ("recommendation_id", "user_id", "strategy", "items", "left_out", "notes", "model_version"):
            assert again.json()[name] == answer[name]
        ranks = {one["item_id"]: one["rank"] for one in again.json()["candidates"] if "rank" in one}
        assert ranks == {item["item_id"]: item["rank"] for item in answer["items"]}
    assert kept.client.get("/metrics").text.count("clew_ledger_kept 4.0") == 1


def test_a_candidate_that_is_not_shown_says_why_and_what_it_is_called(kept: Live) -> None:
    answer = kept.client.post("/recommend", json={"user_id": "ann", "n": 1}).json()
    entry = kept.client.get(f"/v1/recommendations/{answer['recommendation_id']}").json()
    by_id = {one["item_id"]: one for one in entry["candidates"]}
    assert by_id["pulp"]["removed"] == {"code": "seen"}
    assert by_id["pulp"]["name"] == "Pulp Fiction"
    assert "removed" not in by_id["blade"]  # others were better


def test_an_id_that_was_never_given_is_404(kept: Live, offline: Live) -> None:
    for url in ("/v1/recommendations/nonsense", "/v1/recommendations/%2F", f"/v1/recommendations/{'7' * 32}"):
        for live in (kept, offline):
            problem = live.client.get(url)
            assert (problem.status_code, problem.json()["code"]) == (404, "unknown_recommendation")


def test_listing_answers_needs_an_analyst_and_fetching_one_a_reader(
    keeping: Services, start: Callable[..., Live]
) -> None:
    keys = {scope: new_key(scope, scope) for scope in ("read", "write", "analyst", "admin")}
    live = start(keeping, keys=tuple(known for _, known in keys.values()))
    headers = {scope: {"X-API-Key": key} for scope, (key, _) in keys.items()}
    answer = live.client.post("/recommend", json={"user_id": "ann"}, headers=headers["read"]).json()
    address = f"/v1/recommendations/{answer['recommendation_id']}"
    assert live.client.get(address, headers=headers["read"]).status_code == 200
    assert live.client.get(address).status_code == 401
    for scope, status in (("read", 403), ("write", 403), ("analyst", 200), ("admin", 200)):
        listed = live.client.get("/v1/recommendations", params={"user_id": "ann"}, headers=headers[scope])
        assert listed.status_code == status, scope
    (line,) = listed.json()["answers"]
    assert line["recommendation_id"] == answer["recommendation_id"]
    assert line["item_ids"] == [item["item_id"] for item in answer["items"]]


# ---- why it was recommended then


def test_an_explanation_as_of_a_day_is_that_of_the_answer_then(kept: Live) -> None:
    answer = kept.client.post("/recommend", json={"user_id": "ann", "n": 3}).json()
    kept.client.get(f"/v1/recommendations/{answer['recommendation_id']}")
    told = kept.client.get("/v1/users/ann/items/jackie/explanation", params={"as_of": now()}).json()
    assert told["recommendation_id"] == answer["recommendation_id"]
    item = next(item for item in answer["items"] if item["item_id"] == "jackie")
    assert (told["rank"], told["score"]) == (item["rank"], item["score"])
    assert sum(told["parts"].values()) == pytest.approx(item["score"], abs=1e-4)
    assert [reason["text"] for reason in told["reasons"]] == [reason["text"] for reason in item["reasons"]]
    states = {edge["state"] for reason in told["reasons"] if reason["path"] for edge in reason["path"]["edges"]}
    assert states == {"stored"}


def test_an_edge_that_is_gone_since_is_told(kept: Live, server: tuple[ServerConfig, Connection]) -> None:
    answer = kept.client.post("/recommend", json={"user_id": "ann", "n": 1}).json()
    kept.client.get(f"/v1/recommendations/{answer['recommendation_id']}")
    edge = "(:Item {id: 'jackie'})-[edge:DIRECTED_BY]->(:Entity {id: 'Director:tarantino'})"
    ask(server[1], f"MATCH {edge} DELETE edge")
    try:
        told = kept.client.get("/v1/users/ann/items/jackie/explanation", params={"as_of": now()}).json()
    finally:
        ask(
            server[1],
            "MATCH (i:Item {id: 'jackie'}), (d:Entity {id: 'Director:tarantino'}) MERGE (i)-[:DIRECTED_BY]->(d)",
        )
    states = {
        (edge["type"], edge["start"]): edge["state"]
        for reason in told["reasons"]
        if reason["path"]
        for edge in reason["path"]["edges"]
    }
    assert states["DIRECTED_BY", "jackie"] == "gone"
    assert states["INTERACTED", "ann"] == "stored"
    assert told["notes"] == ["the graph no longer has 1 of the edges that were told"]


def test_what_the_log_has_and_neo4j_not_yet_is_pending(kept: Live, log: Log) -> None:
    relations = (RelationEnd(type="DIRECTED_BY", entity_id="Director:tarantino"),)
    properties = {"item_kind": "film", "available": True, "created_at": 0, "properties": {}}
    log.append([ItemPut(item_id="new", name="New", relations=relations, **properties)])
    body = {"user_id": "ann", "item_ids": ["new"]}
    answer = kept.client.post("/recommend", json=body).json()
    kept.client.get(f"/v1/recommendations/{answer['recommendation_id']}")
    told = kept.client.get("/v1/users/ann/items/new/explanation", params={"as_of": now()}).json()
    path = next(reason["path"] for reason in told["reasons"] if reason["path"])
    assert {edge["start"]: edge["state"] for edge in path["edges"]}["new"] == "pending"
    assert path["verified"] is False


@pytest.mark.parametrize("as_of", ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2019-01-01T00:00:00+01:00"])
def test_a_day_of_which_nothing_is_kept_is_404(kept: Live, as_of: str) -> None:
    kept.client.post("/recommend", json={"user_id": "ann"})
    problem = kept.client.get("/v1/users/ann/items/jackie/explanation", params={"as_of": as_of})
    assert (problem.status_code, problem.json()["code"]) == (404, "answer_not_kept")


def test_a_day_without_a_zone_is_422(kept: Live) -> None:
    problem = kept.client.get("/v1/users/ann/items/jackie/explanation", params={"as_of": "2026-11-24T09:30:00"})
    assert (problem.status_code, problem.json()["field"]) == (422, "as_of")


# ---- why not


def test_why_not_answers_for_the_list_that_the_same_request_gives(live: Live) -> None:
    told = live.client.get("/v1/users/cid/items/jackie/why-not", params={"n": 1}).json()
    listed = live.client.get("/v1/users/cid/recommendations", params={"n": 2}).json()["items"]
    assert (told["code"], told["rank"], listed[1]["item_id"]) == ("score", 2, "jackie")
    assert told["items"][0]["brings_in"] is True
    filtered = {"filter": '{"field": "year", "op": "lt", "value": 1990}'}
    assert live.client.get("/v1/users/cid/items/jackie/why-not", params=filtered).json()["code"] == "filtered"
    chinese = live.client.get("/v1/users/cid/items/jackie/why-not", params={"n": 1, "lang": "zh"}).json()
    assert chinese["text"].startswith("《Jackie Brown》")


def test_a_taste_that_cypher_finds_items_for_is_suggested(live: Live) -> None:
    told = live.client.get("/v1/users/fay/items/diehard/why-not", params={"n": 2}).json()
    assert (told["strategy"], told["code"]) == ("preferences", "no_evidence")
    assert {one["entity_id"] for one in told["tastes"]} == {"Actor:willis", "Genre:action"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("filter=[]", "filter"),
        ("filter={", "filter"),
        ("filter=%7B%22field%22%3A1%7D", "filter"),
        ("filter=%ff", "filter"),
        ("n=0", "n"),
        ("lang=xx", "lang"),
        ("context_item_id=nowhere", "context_item_id"),
    ],
)
def test_nonsense_is_named(live: Live, query: str, field: str) -> None:
    problem = live.client.get(f"/v1/users/ann/items/pulp/why-not?{query}")
    assert problem.status_code in (404, 422)
    assert problem.json()["field"] == field


def test_an_unknown_user_is_404_and_an_unknown_item_an_answer(live: Live) -> None:
    assert live.client.get("/v1/users/nobody/items/pulp/why-not").json()["code"] == "unknown_user"
    assert live.client.get("/v1/users/ann/items/nothing/why-not").json()["code"] == "unknown_item"
