"""Why and why not for whoever can have a list: a visitor's session, stated tastes, a user with all of a request."""

import json

import pytest

from api.app import openapi_document
from tests.api.conftest import Live

BODIES = {
    "session": {"session": ["pulp", {"item_id": "alien", "kind": "view"}]},
    "tastes": {"preferences": [{"entity_id": "Director:tarantino"}, {"entity_id": "Genre:scifi", "weight": 2}]},
    "user": {"user_id": "ann"},
    "while looking": {"user_id": "ann", "context_item_id": "blade"},
    "with a query": {"session": ["pulp"], "query": "jackie"},
    "with a filter": {"session": ["pulp"], "filter": {"field": "year", "op": "ge", "value": 1990}},
    "again": {"session": ["pulp"], "exclude_seen": False},
    "without": {"session": ["pulp", "alien"], "without": ["Director:tarantino"]},
    "a stranger": {"user_id": "nobody"},
    "nothing known": {"session": ["no-such-item"]},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_parts_add_up_to_the_score_in_the_list_of_the_same_body(shared: Live, body: dict[str, object]) -> None:
    ranked = shared.client.post("/v1/recommendations", json=body | {"n": 5}).json()
    assert ranked["items"]
    for item in ranked["items"]:
        answer = shared.client.post(f"/v1/items/{item['item_id']}/explanation", json=body | {"n": 5})
        explained = answer.json()
        assert answer.status_code == 200, explained
        assert sum(part["value"] for part in explained["parts"]) == pytest.approx(explained["score"], abs=1e-4)
        assert (explained["score"], explained["rank"]) == (pytest.approx(item["score"], abs=1e-4), item["rank"])
        assert (explained["user_id"], explained["strategy"]) == (body.get("user_id"), ranked["strategy"])
        told = {reason["text"] for reason in explained["reasons"]}
        assert {reason["text"] for reason in item["reasons"]} <= told
        assert sum(part["share"] for part in explained["parts"] if part["value"] > 0) <= 1 + 1e-6


@pytest.mark.parametrize("name", ["session", "tastes"])
def test_a_visitors_paths_begin_at_what_they_named_and_open_without_a_user(shared: Live, name: str) -> None:
    first = shared.client.post("/v1/recommendations", json=BODIES[name]).json()["items"][0]["item_id"]
    explained = shared.client.post(f"/v1/items/{first}/explanation", json=BODIES[name]).json()
    paths = [reason["path"] for reason in explained["reasons"] if reason["path"]]
    assert paths
    assert all(path["nodes"][0]["label"] != "User" and path["nodes"][-1]["id"] == first for path in paths)
    assert "$" not in explained["cypher"]
    assert "User" not in explained["cypher"] or "INTERACTED" in explained["cypher"]


def test_a_rule_of_the_placement_is_a_part(shared: Live) -> None:
    boost = {"effect": "boost", "factor": 3, "target": {"item_ids": ["heat"]}}
    shared.client.put("/v1/rules/here", json={"consequence": boost, "condition": {"placements": ["cart"]}})
    told = {}
    for place in ("cart", "home"):
        body = {"session": ["pulp"], "placement": place}
        told[place] = shared.client.post("/v1/items/heat/explanation", json=body).json()
    shared.client.delete("/v1/rules/here")
    rules = [part["value"] for part in told["cart"]["parts"] if part["name"] == "rules"]
    assert told["cart"]["score"] - told["home"]["score"] == pytest.approx(rules[0], abs=1e-4)


def test_a_visitors_counterfactual_takes_items_out_of_the_session(shared: Live) -> None:
    body = {"session": ["pulp", "alien"], "n": 1}
    (first,) = shared.client.post("/v1/recommendations", json=body).json()["items"]
    url = f"/v1/items/{first['item_id']}/explanation"
    found = shared.client.post(url, json=body, params={"counterfactual": "true"}).json()["counterfactual"]
    assert found["found"]
    gone = {one["item_id"] for one in found["removed"]}
    rest = {"session": [one for one in ("pulp", "alien") if one not in gone] or ["no-such-item"], "n": 1}
    assert shared.client.post("/v1/recommendations", json=rest).json()["items"][0]["item_id"] != first["item_id"]


@pytest.mark.parametrize("form", ["text", "graphml", "node-link", "svg"])
def test_every_format_knows_that_a_visitor_has_no_id(shared: Live, form: str) -> None:
    answer = shared.client.post("/v1/items/jackie/explanation", json=BODIES["session"], params={"format": form})
    assert answer.status_code == 200
    assert "None" not in answer.text


def test_why_not_is_answered_for_the_same_list(shared: Live) -> None:
    for body in BODIES.values():
        shown = [one["item_id"] for one in shared.client.post("/v1/recommendations", json=body).json()["items"]]
        for item_id in ("jackie", "heat", "armageddon", "pulp", "blank"):
            told = shared.client.post(f"/v1/items/{item_id}/why-not", json=body).json()
            assert (told["code"] == "in_list") == (item_id in shown)
            assert told["code"] != "in_list" or told["rank"] == 1 + shown.index(item_id)


def test_what_a_text_does_not_find_is_said_to_be_filtered_by_it(shared: Live) -> None:
    told = shared.client.post("/v1/items/heat/why-not", json=BODIES["with a query"]).json()
    assert (told["code"], told["detail"]) == ("filtered", "query")


def test_what_a_visitor_is_told_to_pick_truly_gives_the_rank_that_was_said(shared: Live) -> None:
    body = {"session": ["alien"], "n": 1}
    tried = 0
    for item_id in ("jackie", "heat", "diehard", "kill2"):
        for helper in shared.client.post(f"/v1/items/{item_id}/why-not", json=body).json()["items"]:
            more = {"session": ["alien", helper["item_id"]], "n": 20}
            then = shared.client.post("/v1/recommendations", json=more).json()["items"]
            assert {one["item_id"]: one["rank"] for one in then}[item_id] == helper["rank"]
            tried += 1
    assert tried > 3


def test_a_stated_taste_that_was_suggested_gives_the_rank_that_was_said(shared: Live) -> None:
    body = {"preferences": [{"entity_id": "Genre:scifi"}], "n": 1}
    tastes = shared.client.post("/v1/items/diehard/why-not", json=body).json()["tastes"]
    assert tastes
    for one in tastes:
        more = {"preferences": [*body["preferences"], {"entity_id": one["entity_id"]}], "n": 20}  # type: ignore[misc]
        then = shared.client.post("/v1/recommendations", json=more).json()["items"]
        assert {item["item_id"]: item["rank"] for item in then}["diehard"] == one["rank"]


@pytest.mark.parametrize("what", ["explanation", "why-not"])
@pytest.mark.parametrize(
    ("item_id", "body", "status", "field"),
    [
        ("jackie", {}, 422, "user_id"),
        ("jackie", {"session": ["pulp"], "user_id": "ann"}, 422, "user_id"),
        ("jackie", {"session": []}, 422, "session"),
        ("jackie", {"session": ["pulp"], "lang": "xx"}, 422, "lang"),
        ("jackie", {"session": ["pulp"], "filter": {"field": "colour"}}, 422, "filter"),
        ("jackie", {"session": ["pulp"], "without": ["nothing"]}, 422, "without"),
        ("jackie", {"preferences": [{"entity_id": "Genre:none"}]}, 404, "preferences"),
        ("jackie", {"user_id": "nobody", "strict": True}, 404, "user_id"),
        ("..", {"session": ["pulp"]}, 422, "item_id"),
    ],
)
def test_what_cannot_be_asked_names_the_field(
    shared: Live, what: str, item_id: str, body: dict[str, object], status: int, field: str
) -> None:
    answer = shared.client.post(f"/v1/items/{item_id.replace('.', '%2E')}/{what}", json=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_an_unknown_item_has_no_explanation_but_a_why_not(shared: Live) -> None:
    body = {"session": ["pulp"]}
    assert shared.client.post("/v1/items/nowhere/explanation", json=body).status_code == 404
    assert shared.client.post("/v1/items/nowhere/why-not", json=body).json()["code"] == "unknown_item"


def test_nothing_of_a_visitor_is_stored(shared: Live) -> None:
    before = shared.services.log.last_offset()
    for what in ("explanation", "why-not"):
        shared.client.post(f"/v1/items/jackie/{what}", json=BODIES["session"])
    assert shared.services.log.last_offset() == before


def test_the_document_says_that_both_take_the_body_of_a_list() -> None:
    paths = openapi_document()["paths"]
    bodies = {
        json.dumps(paths[path]["post"]["requestBody"])
        for path in ("/v1/recommendations", "/v1/items/{item_id}/explanation", "/v1/items/{item_id}/why-not")
    }
    assert len(bodies) == 1
