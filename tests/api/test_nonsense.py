"""Whatever a client sends, it gets a problem that says what is wrong, and never a 500."""

from http import HTTPStatus

import pytest

from tests.api.conftest import Live

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b'"text"', 422, "invalid_request"),
        (b"not json", 400, "invalid_json"),
        (b'{"user_id": "ann"', 400, "invalid_json"),
        (b'{"user_id": "\xff"}', 400, "invalid_json"),
        (b'{"user_id": "\\ud800"}', 422, "invalid_request"),
        (b'{"user_id": "ann", "n": NaN}', 400, "invalid_json"),
        (b'{"user_id": "ann", "n": 1e999}', 400, "invalid_json"),
        (b'{"user_id": "ann", "n": ' + b"9" * 5000 + b"}", 400, "invalid_json"),
        (b"[" * 100_000, 400, "invalid_json"),
        (b'{"user_id": ' + b"9" * 300 + b"}", 422, "invalid_id"),
        (b'{"user_id": "ann", "n": 123456789012345678901234567890}', 422, "invalid_request"),
        (b'{"user_id": "ann", "n": 0}', 422, "invalid_request"),
        (b'{"user_id": "ann", "n": 1001}', 422, "invalid_request"),
        (b'{"user_id": "ann", "n": "5"}', 422, "invalid_request"),
        (b'{"user_id": "ann", "n": true}', 422, "invalid_request"),
        (b'{"user_id": "ann", "n": 2.5}', 422, "invalid_request"),
        (b'{"user_id": "ann", "other": 1}', 422, "invalid_request"),
        (b'{"user_id": "ann", "item_ids": "pulp"}', 422, "invalid_request"),
        (b'{"user_id": null}', 422, "invalid_id"),
        (b'{"user_id": true}', 422, "invalid_id"),
        (b'{"user_id": 1.5}', 422, "invalid_id"),
        (b'{"user_id": ""}', 422, "invalid_id"),
        (b'{"user_id": ".."}', 422, "invalid_id"),
        (b'{"user_id": "a\\u0000b"}', 422, "invalid_id"),
        (b'{"user_id": "' + b"x" * 10_000 + b'"}', 422, "invalid_id"),
        (b'{"user_id": "ann", "item_ids": [1.5]}', 422, "invalid_id"),
    ],
)
def test_a_bad_body_is_refused_with_its_code(shared: Live, body: bytes, status: int, code: str) -> None:
    answer = shared.client.post("/recommend", content=body, headers=JSON)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "user_id"),
        ({"user_id": "ann", "session": [{"item_id": "pulp"}]}, "user_id"),
        ({"user_id": "ann", "n": 0}, "n"),
        ({"session": [{"item_id": 1.5}]}, "session.0.item_id"),
        ({"session": [{"item_id": "pulp", "at": "2026-01-01T00:00:00"}]}, "session.0.at"),
        ({"session": [{"item_id": "pulp", "kind": "gaze"}]}, "session"),
        ({"preferences": [{"entity_id": "Genre:crime", "weight": -1}]}, "preferences.0.weight"),
        ({"preferences": []}, "preferences"),
        ({"user_id": "ann", "filter": {"field": "colour"}}, "filter"),
        ({"user_id": "ann", "filter": {"not": {"not": {"not": 1}}}}, "filter"),
        ({"user_id": "ann", "item_ids": ["x"] * 1001}, "item_ids"),
        ({"user_id": "ann", "unknown": 1}, "unknown"),
    ],
)
def test_the_field_at_fault_is_named(shared: Live, body: dict[str, object], field: str) -> None:
    answer = shared.client.post("/v1/recommendations", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_another_content_type_is_415(shared: Live) -> None:
    answer = shared.client.post("/recommend", content=b'{"user_id": "ann"}', headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_more_than_8_mib_is_413_announced_or_not(shared: Live) -> None:
    large = b" " * (8 * 1024 * 1024 + 1)
    assert shared.client.post("/recommend", content=large, headers=JSON).status_code == 413
    streamed = shared.client.post("/recommend", content=iter([large[:1000]] * 9000), headers=JSON)
    assert (streamed.status_code, streamed.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("n", ["0", "1001", "99999999999999999999", "x", "1.5", "", "-1"])
def test_a_bad_n_in_the_query_names_n(shared: Live, n: str) -> None:
    answer = shared.client.get("/v1/users/ann/recommendations", params={"n": n})
    assert (answer.status_code, answer.json()["field"]) == (422, "n")


def test_a_wrong_method_is_405_and_says_which_are_right(shared: Live) -> None:
    answer = shared.client.delete("/recommend")
    assert (answer.status_code, answer.json()["code"], answer.headers["allow"]) == (405, "method_not_allowed", "POST")


def test_a_problem_has_all_its_fields(shared: Live) -> None:
    answer = shared.client.post("/recommend", json={"user_id": "ann", "n": 0}, headers={"X-Request-ID": "mine-1"})
    problem = answer.json()
    detail = "Input should be greater than or equal to 1"
    assert problem == {
        "type": "about:blank",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "detail": f"n: {detail}",
        "code": "invalid_request",
        "request_id": "mine-1",
        "field": "n",
        "errors": [{"field": "n", "code": "greater_than_equal", "message": detail}],
    }


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [("abc-123", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("<script>", False), ("", False)],
)
def test_a_request_id_is_echoed_when_it_is_harmless_and_made_otherwise(shared: Live, sent: str, echoed: bool) -> None:
    answer = shared.client.get("/health/live", headers={"X-Request-ID": sent})
    got = answer.headers["x-request-id"]
    assert (got == sent) is echoed
    assert got
