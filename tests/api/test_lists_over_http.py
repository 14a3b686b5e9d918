"""Ranked lists and explanations, as a shop asks for them."""

import pytest

from tests.api.conftest import Live

TAKEN_BY_ANN = {"pulp", "dogs", "kill", "heat", "thelma"}  # alien is hidden: she skipped it


def test_the_short_form_gives_unseen_items_with_reasons_whose_paths_are_in_neo4j(live: Live) -> None:
    answer = live.client.post("/recommend", json={"user_id": "ann", "n": 3})
    assert answer.status_code == 200
    ranked = answer.json()
    assert (ranked["user_id"], ranked["strategy"], ranked["fallback"]) == ("ann", "model", False)
    assert [item["rank"] for item in ranked["items"]] == [1, 2, 3]
    assert not TAKEN_BY_ANN & {item["item_id"] for item in ranked["items"]}
    first = ranked["items"][0]["reasons"][0]
    assert first["path"]["verified"] is True
    assert {edge["state"] for edge in first["path"]["edges"] if edge["start"] and edge["end"]} == {"stored"}


def test_item_ids_are_ranked_all_and_only_once_seen_or_not(live: Live) -> None:
    body = {"user_id": "ann", "item_ids": ["pulp", "blade", "pulp", "nowhere", "armageddon"]}
    ranked = live.client.post("/recommend", json=body).json()
    assert {item["item_id"] for item in ranked["items"]} == {"pulp", "blade"}
    left_out = {entry["item_id"]: entry["code"] for entry in ranked["left_out"]}
    assert left_out == {"nowhere": "unknown_item", "armageddon": "unavailable"}


def test_the_three_forms_give_one_list(live: Live) -> None:
    lists = [
        live.client.post("/recommend", json={"user_id": "cid", "n": 4}).json(),
        live.client.post("/v1/recommendations", json={"user_id": "cid", "n": 4}).json(),
        live.client.get("/v1/users/cid/recommendations", params={"n": 4}).json(),
    ]
    assert lists[0]["items"] == lists[1]["items"] == lists[2]["items"]
    assert len({ranked["recommendation_id"] for ranked in lists}) == 3


def test_a_list_comes_without_reasons_when_nothing_is_to_be_included(live: Live) -> None:
    forms = ({"include": []}, {"include": ["reasons"]}, {}, {"include": ["prices"]})
    bare, told, usual, wrong = (
        live.client.post("/v1/recommendations", json={"user_id": "ann", "n": 3, **form}) for form in forms
    )
    assert [item["reasons"] for item in bare.json()["items"]] == [[], [], []]
    assert told.json()["items"] == usual.json()["items"]
    assert usual.json()["items"][0]["reasons"]
    assert (wrong.status_code, wrong.json()["field"]) == (422, "include.0")


def test_an_unknown_user_gets_a_popular_list_marked_as_such_and_404_when_strict(live: Live) -> None:
    ranked = live.client.post("/recommend", json={"user_id": "nobody"}).json()
    assert ranked["fallback"] is True
    assert ranked["items"]
    strict = live.client.post("/v1/recommendations", json={"user_id": "nobody", "strict": True})
    assert (strict.status_code, strict.json()["code"]) == (404, "unknown_user")
    assert live.client.get("/v1/users/nobody/recommendations?strict=true").status_code == 404


def test_stated_tastes_of_a_stranger_bring_their_items_first(live: Live) -> None:
    body = {"preferences": [{"entity_id": "Director:tarantino"}], "n": 2}
    ranked = live.client.post("/v1/recommendations", json=body).json()
    assert (ranked["strategy"], ranked["user_id"]) == ("preferences", None)
    assert {item["item_id"] for item in ranked["items"]} <= {"pulp", "dogs", "kill", "kill2", "jackie"}


def test_a_session_may_be_item_ids_alone(live: Live) -> None:
    lists = [
        live.client.post("/v1/recommendations", json={"session": session, "n": 3}).json()["items"]
        for session in (["alien", "pulp"], [{"item_id": "alien"}, {"item_id": "pulp"}])
    ]
    assert lists[0]
    assert [item["item_id"] for item in lists[0]] == [item["item_id"] for item in lists[1]]


def test_a_session_is_used_and_not_stored(live: Live) -> None:
    body = {"session": [{"item_id": "alien"}, {"item_id": "blade", "kind": "rate", "value": 5}], "n": 3}
    before = live.services.log.last_offset()
    ranked = live.client.post("/v1/recommendations", json=body).json()
    assert ranked["strategy"] == "session"
    assert "thelma" in {item["item_id"] for item in ranked["items"]}
    assert live.services.log.last_offset() == before


def test_whole_numbers_are_taken_as_ids(live: Live) -> None:
    assert live.client.post("/recommend", json={"user_id": 196}).json()["user_id"] == "196"


def test_an_explanation_splits_the_score_exactly(live: Live) -> None:
    answer = live.client.get("/v1/users/ann/items/jackie/explanation")
    assert answer.status_code == 200
    found = answer.json()
    assert sum(part["value"] for part in found["parts"]) == pytest.approx(found["score"], abs=1e-6)
    assert found["reasons"][0]["path"]["verified"] is True
    assert "MATCH" in found["cypher"]


def test_neighbours_of_items_users_and_entities(live: Live) -> None:
    near = live.client.get("/v1/items/alien/similar", params={"n": 2}).json()
    assert near["id"] == "alien"
    assert {one["id"] for one in near["neighbours"]} <= {"blade", "thelma"}
    assert live.client.get("/v1/users/ann/similar").status_code == 200
    entities = live.client.get("/v1/users/ann/entities").json()
    assert entities["id"] == "ann"
    items = live.client.get("/v1/entities/Genre:scifi/items").json()
    assert {item["item_id"] for item in items["items"]} == {"alien", "blade"}


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/v1/users/nobody", "unknown_user"),
        ("/v1/users/nobody/similar", "unknown_user"),
        ("/v1/users/nobody/entities", "unknown_user"),
        ("/v1/users/ann/items/nothing/explanation", "unknown_item"),
        ("/v1/users/nobody/items/pulp/explanation", "unknown_user"),
        ("/v1/items/nothing", "unknown_item"),
        ("/v1/items/nothing/similar", "unknown_item"),
        ("/v1/entities/Genre:none", "unknown_entity"),
        ("/v1/entities/Genre:none/items", "unknown_entity"),
        ("/v2", "unknown_address"),
    ],
)
def test_what_is_not_there_is_404_with_its_code(offline: Live, address: str, code: str) -> None:
    answer = offline.client.get(address)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_without_neo4j_lists_are_the_same_and_say_that_paths_are_unchecked(live: Live, offline: Live) -> None:
    request = {"user_id": "ann", "n": 3}
    here = live.client.post("/recommend", json=request).json()["items"]
    alone = offline.client.post("/recommend", json=request).json()["items"]
    assert [(item["item_id"], item["score"]) for item in here] == [(item["item_id"], item["score"]) for item in alone]
    assert alone[0]["reasons"][0]["path"]["verified"] is False
