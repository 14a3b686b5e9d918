"""Any id works in a path: it is split first and decoded afterwards, once."""

import http.client
from urllib.parse import quote, urlsplit

import pytest

from tests.api.conftest import Live

IDS = [
    "a/b",
    "recommendations",
    "similar",
    "items/pulp/explanation",
    "a%2Fb",
    "a b",
    "a+b",
    "?n=1#x",
    "näme",
    "日本",
    "🎬",
    "a;b=c",
    "100%",
    "a\\b",
    "...",
    "x" * 256,
]


@pytest.mark.parametrize("user_id", IDS)
def test_any_id_can_be_put_recommended_to_and_read(shared: Live, user_id: str) -> None:
    address = f"/v1/users/{quote(user_id, safe='')}"
    assert _send(shared, "PUT", address, b"{}") == 201
    assert shared.services.world.view().user(user_id) is not None
    assert shared.client.get(f"{address}/recommendations").json()["user_id"] == user_id
    assert shared.client.get(address).json()["user_id"] == user_id


def test_both_ids_of_an_explanation_may_hold_slashes(shared: Live) -> None:
    item = {"name": "A film", "relations": [{"type": "DIRECTED_BY", "entity_id": "Director:tarantino"}]}
    assert shared.client.put("/v1/items/film%2F1", json=item).status_code == 201
    assert shared.client.put("/v1/users/x%2Fy", json={}).status_code == 201
    event = {"user_id": "x/y", "item_id": "pulp", "kind": "purchase"}
    assert shared.client.post("/v1/events", json={"events": [event]}).status_code == 202
    found = shared.client.get("/v1/users/x%2Fy/items/film%2F1/explanation").json()
    assert (found["user_id"], found["item_id"], found["name"]) == ("x/y", "film/1", "A film")


def test_equal_text_in_another_form_is_the_same_id(shared: Live) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert shared.client.put(f"/v1/users/{quote(composed)}", json={}).status_code == 201
    assert shared.client.put(f"/v1/users/{quote(decomposed)}", json={}).status_code == 200


@pytest.mark.parametrize("raw", ["%FF", "%00", "a%0Ab", "%ED%A0%80", "%2E", "%2e%2E", "x" * 257])
def test_what_is_no_id_is_422(shared: Live, raw: str) -> None:
    assert _send(shared, "GET", f"/v1/users/{raw}/recommendations") == 422


def test_an_empty_segment_is_no_id(shared: Live) -> None:
    assert _send(shared, "GET", "/v1/users//recommendations") == 404


def _send(live: Live, method: str, path: str, body: bytes | None = None) -> int:
    """The status of a request whose path is sent as it is; clients that people use would tidy it up."""
    connection = http.client.HTTPConnection(urlsplit(live.url).netloc, timeout=30)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status
