"""Every write is durable when it is answered, is seen by the next request, and counts once."""

from typing import Any

import msgspec
import pytest

from domain.records import UserErased
from tests.api.conftest import Live

EVENT = {"event_id": "one", "user_id": "hal", "item_id": "alien", "kind": "rate", "value": 5}
FILM = {
    "name": "True Romance",
    "item_kind": "film",
    "relations": [{"type": "DIRECTED_BY", "entity_id": "Director:scott"}],
}


def post(live: Live, *events: Any) -> Any:
    return live.client.post("/v1/events", json={"events": list(events)})


def test_a_posted_event_changes_the_next_list(offline: Live) -> None:
    before = offline.client.get("/v1/users/hal/recommendations?n=3").json()
    assert before["fallback"] is True
    answer = post(offline, EVENT)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "duplicated": 0, "rejected": []})
    after = offline.client.get("/v1/users/hal/recommendations?n=3").json()
    assert (after["strategy"], after["fallback"]) == ("model", False)
    assert "alien" not in {item["item_id"] for item in after["items"]}
    assert after["items"][0]["item_id"] in {"blade", "thelma"}


@pytest.mark.parametrize("body", [{"events": [EVENT]}, [EVENT], EVENT], ids=["batch", "list", "alone"])
def test_events_come_as_a_batch_a_list_or_one_alone(offline: Live, body: Any) -> None:
    answer = offline.client.post("/v1/events", json=body)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "duplicated": 0, "rejected": []})
    assert offline.client.get("/v1/users/hal").json()["events"] == 1


def test_the_same_event_twice_counts_once_and_other_content_is_a_conflict(offline: Live) -> None:
    assert post(offline, EVENT).json()["accepted"] == 1
    assert post(offline, EVENT).json() == {"accepted": 0, "duplicated": 1, "rejected": []}
    conflict = post(offline, {**EVENT, "value": 1})
    assert conflict.status_code == 422
    assert conflict.json()["rejected"][0]["code"] == "event_id_conflict"
    assert offline.client.get("/v1/users/hal").json()["events"] == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "gaze"}, "unknown_kind"),
        ({"user_id": None}, "invalid_id"),
        ({"item_id": 1.5}, "invalid_id"),
        ({"at": "2026-01-01T00:00:00"}, "invalid_time"),
        ({"at": 1700000000}, "invalid_time"),
        ({"at": "yesterday"}, "invalid_time"),
        ({"at": "9999-12-31T23:59:59Z"}, "future_time"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "ancient_time"),
        ({"value": "5"}, "invalid_event"),
        ({"value": True}, "invalid_event"),
        ({"position": 0}, "invalid_event"),
        ({"colour": "red"}, "invalid_event"),
    ],
)
def test_a_bad_event_is_rejected_kept_and_the_others_are_taken(
    offline: Live, changes: dict[str, object], code: str
) -> None:
    bad = {**EVENT, "event_id": "bad", **changes}
    answer = post(offline, bad, EVENT)
    assert answer.status_code == 202
    receipt = answer.json()
    assert (receipt["accepted"], receipt["duplicated"]) == (1, 0)
    assert [(entry["index"], entry["code"]) for entry in receipt["rejected"]] == [(0, code)]
    (letter,) = offline.services.log.dead()
    assert (letter.code, letter.payload) == (code, bad)


@pytest.mark.parametrize("payload", [1, "text", None, [], [[]], {}])
def test_what_is_no_event_at_all_is_rejected(offline: Live, payload: object) -> None:
    answer = post(offline, payload)
    assert (answer.status_code, answer.json()["code"]) == (422, "all_rejected")
    assert answer.json()["rejected"][0]["index"] == 0


def test_events_without_id_and_time_get_them_from_the_server(offline: Live) -> None:
    event = {"user_id": "hal", "item_id": "alien", "kind": "view"}
    assert post(offline, event, event).json()["accepted"] == 2
    assert offline.client.get("/v1/users/hal").json()["events"] == 2


def test_no_more_than_1000_events_and_not_none(offline: Live) -> None:
    assert post(offline).status_code == 422
    assert post(offline, *[EVENT] * 1001).status_code == 422


def test_put_item_twice_is_once_and_get_gives_what_put_takes(offline: Live) -> None:
    first = offline.client.put("/v1/items/true", json=FILM)
    second = offline.client.put("/v1/items/true", json=FILM)
    assert (first.status_code, second.status_code) == (201, 200)
    stored = offline.client.get("/v1/items/true").json()
    assert first.json() == second.json() == stored
    assert stored == {"item_id": "true", "available": True, "created_at": None, "properties": {}, **FILM}
    body = {name: value for name, value in stored.items() if name != "item_id"}
    assert offline.client.put("/v1/items/true", json=body).json() == stored


def test_every_item_of_the_graph_can_be_put_back_as_it_is(offline: Live) -> None:
    for item_id in ("pulp", "kill2", "armageddon", "blank"):
        stored = offline.client.get(f"/v1/items/{item_id}").json()
        body = {name: value for name, value in stored.items() if name != "item_id"}
        answer = offline.client.put(f"/v1/items/{item_id}", json=body)
        assert (answer.status_code, answer.json()) == (200, stored)


def test_a_new_item_is_recommended_at_once_by_its_relations(offline: Live) -> None:
    offline.client.put(
        "/v1/items/true", json={**FILM, "relations": [{"type": "DIRECTED_BY", "entity_id": "Director:tarantino"}]}
    )
    ranked = offline.client.post("/recommend", json={"user_id": "ann", "n": 10}).json()
    new = next(item for item in ranked["items"] if item["item_id"] == "true")
    assert new["reasons"][0]["code"] == "same_entity"


def test_patch_changes_the_named_fields_only(offline: Live) -> None:
    answer = offline.client.patch("/v1/items/pulp", json={"name": "PULP", "properties": {"year": 1995, "tags": None}})
    assert answer.status_code == 200
    stored = answer.json()
    assert (stored["name"], stored["properties"]) == ("PULP", {"year": 1995})
    assert len(stored["relations"]) == 4  # Tarantino, Willis, Thurman, crime
    assert offline.client.patch("/v1/items/nothing", json={}).status_code == 404


def test_a_retired_item_is_no_longer_recommended_and_can_come_back(offline: Live) -> None:
    def listed() -> set[str]:
        return {i["item_id"] for i in offline.client.post("/recommend", json={"user_id": "ann"}).json()["items"]}

    assert "jackie" in listed()
    assert offline.client.delete("/v1/items/jackie").status_code == 204
    assert "jackie" not in listed()
    assert offline.client.get("/v1/items/jackie").json()["available"] is False
    offline.client.patch("/v1/items/jackie", json={"available": True})
    assert "jackie" in listed()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "relations": [{"type": "PAINTED_BY", "entity_id": "Genre:crime"}]}, "relations.0.type"),
        ({"name": "x", "relations": [{"type": "IN_AGE_BAND", "entity_id": "AgeBand:20-29"}]}, "relations.0.type"),
        ({"name": "x", "relations": [{"type": "FOLLOWS", "entity_id": "ann"}]}, "relations.0.type"),
        ({"name": "x", "relations": [{"type": "HAS_GENRE", "entity_id": "Genre:none"}]}, "relations.0.entity_id"),
        ({"name": "x", "relations": [{"type": "HAS_GENRE", "entity_id": "Actor:willis"}]}, "relations.0.entity_id"),
        ({"name": "x", "relations": [{"type": "SEQUEL_OF", "entity_id": "nothing"}]}, "relations.0.entity_id"),
        ({"name": "x", "properties": {"colour": "red"}}, "properties.colour"),
        ({"name": "x", "properties": {"year": 2**63}}, "properties"),
        ({"name": ""}, "name"),
        ({}, "name"),
        ({"name": "x", "created_at": "2020-01-01"}, "created_at"),
    ],
)
def test_an_item_that_the_graph_cannot_hold_is_refused_and_the_field_named(
    offline: Live, body: dict[str, object], field: str
) -> None:
    answer = offline.client.put("/v1/items/x", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert offline.services.log.last_offset() == 0


def test_put_user_states_tastes_that_make_the_next_list(offline: Live) -> None:
    body = {
        "properties": {"country": "NL"},
        "relations": [{"type": "IN_AGE_BAND", "entity_id": "AgeBand:20-29"}],
        "preferences": [{"entity_id": "Genre:scifi", "weight": 2}],
        "follows": ["ann"],
    }
    first, second = (offline.client.put("/v1/users/new", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["follows"] == ["ann"]
    ranked = offline.client.get("/v1/users/new/recommendations?n=2").json()
    assert {item["item_id"] for item in ranked["items"]} <= {"alien", "blade"}


def test_patch_user_keeps_what_it_does_not_name(offline: Live) -> None:
    stored = offline.client.patch("/v1/users/bob", json={"properties": {"country": "DE"}}).json()
    assert stored == {
        "user_id": "bob",
        "properties": {"country": "DE"},
        "relations": [{"type": "IN_AGE_BAND", "entity_id": "AgeBand:20-29"}],
        "preferences": [],
        "follows": ["ann"],
        "opt_out": False,
    }
    assert offline.client.patch("/v1/users/nobody", json={}).status_code == 404


def test_entities_can_be_made_renamed_and_deleted(offline: Live) -> None:
    made = offline.client.put("/v1/entities/Genre:noir", json={"name": "noir"})
    assert (made.status_code, made.json()) == (
        201,
        {"entity_id": "Genre:noir", "name": "noir", "label": "Genre", "degree": 0},
    )
    assert offline.client.put("/v1/entities/Genre:noir", json={"name": "film noir"}).json()["name"] == "film noir"
    relation = {"type": "HAS_GENRE", "head_id": "heat", "tail_id": "Genre:noir"}
    assert offline.client.post("/v1/relations", json=relation).status_code == 204
    assert offline.client.get("/v1/entities/Genre:noir").json()["degree"] == 1
    assert offline.client.delete("/v1/relations", params=relation).status_code == 204
    assert offline.client.get("/v1/entities/Genre:noir").json()["degree"] == 0
    assert offline.client.delete("/v1/entities/Genre:noir").status_code == 204
    assert offline.client.get("/v1/entities/Genre:noir").status_code == 404


@pytest.mark.parametrize(
    ("entity_id", "status", "code"), [("Colour:red", 422, "invalid_request"), ("plain", 422, "invalid_id")]
)
def test_an_entity_of_no_declared_type_is_refused(offline: Live, entity_id: str, status: int, code: str) -> None:
    answer = offline.client.put(f"/v1/entities/{entity_id}", json={})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_erased_person_is_gone_and_is_not_taken_up_again(offline: Live) -> None:
    receipt = offline.client.delete("/v1/users/ann").json()
    stores = {one["store"]: one["state"] for one in receipt["stores"]}
    assert (receipt["user_id"], stores["log"], stores["profiles"]) == ("ann", "gone now", "gone now")
    assert offline.client.get("/v1/users/ann/erasure").json()["erased_at"] == receipt["erased_at"]
    assert offline.client.get("/v1/users/ann/export").status_code == 410
    assert offline.client.get("/v1/users/bob/erasure").status_code == 404
    assert offline.client.get("/v1/users/ann").status_code == 404
    assert offline.client.put("/v1/users/ann", json={}).status_code == 410
    assert post(offline, {**EVENT, "user_id": "ann"}).json()["rejected"][0]["code"] == "erased_user"
    assert offline.client.delete("/v1/users/ann").status_code == 200  # twice is once
    assert offline.client.delete("/v1/users/never-seen").status_code == 404


def test_a_visitor_is_merged_into_a_user_at_login(offline: Live) -> None:
    post(offline, {"user_id": "visitor-1", "item_id": "alien", "kind": "purchase"})
    answer = offline.client.post("/v1/users/hal/merge", json={"from": "visitor-1"})
    assert (answer.status_code, answer.json()["user_id"]) == (200, "hal")
    assert [one["item_id"] for one in offline.client.get("/v1/users/hal").json()["recent"]] == ["alien"]
    again = offline.client.post("/v1/users/hal/merge", json={"from": "visitor-1"})
    assert (again.status_code, again.json()["code"], again.json()["field"]) == (404, "unknown_user", "from")
    itself = offline.client.post("/v1/users/hal/merge", json={"from": "hal"})
    assert (itself.status_code, itself.json()["field"]) == (422, "from")


def test_who_opts_out_gets_popular_lists_that_say_so(offline: Live) -> None:
    stored = offline.client.patch("/v1/users/ann", json={"opt_out": True}).json()
    assert stored["opt_out"] is True
    assert stored["properties"] == {"country": "NL"}
    answer = offline.client.get("/v1/users/ann/recommendations").json()
    assert (answer["strategy"], answer["fallback"]) == ("popular", True)
    assert "opted out" in answer["notes"][0]
    assert offline.client.get("/v1/users/ann").json()["recent"] == []
    assert offline.client.patch("/v1/users/ann", json={"properties": {"country": "FR"}}).json()["opt_out"] is True
    assert offline.client.patch("/v1/users/ann", json={"opt_out": False}).json()["opt_out"] is False
    assert offline.client.get("/v1/users/ann/recommendations").json()["strategy"] == "model"


def test_opting_out_is_no_property_of_the_shop(offline: Live) -> None:
    answer = offline.client.patch("/v1/users/ann", json={"properties": {"opt_out": True}})
    assert (answer.status_code, answer.json()["field"]) == (422, "properties.opt_out")


def test_an_erased_user_takes_merged_visitors_along(offline: Live) -> None:
    post(offline, {"user_id": "visitor-2", "item_id": "alien", "kind": "purchase"})
    offline.client.post("/v1/users/hal/merge", json={"from": "visitor-2"})
    assert offline.client.delete("/v1/users/hal").status_code == 200
    log = offline.services.log
    assert log.is_erased("visitor-2")
    told = [record for _, record in log.read(0) if b"visitor-2" in msgspec.json.encode(record)]
    assert told == [UserErased(user_id="visitor-2")]  # the announcement, until everybody has followed it
    log.forget_erasures(log.last_offset())
    assert b"visitor-2" not in b"".join(file.read_bytes() for file in log.path.parent.glob("log.db*"))
