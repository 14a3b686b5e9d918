"""Explanations over HTTP: formats, languages, what-if, and who may see a witness."""

from collections.abc import Callable

import httpx
import pytest

from api.keys import new_key
from tests.api.conftest import Live

WHY = "/v1/users/ann/items/diehard/explanation"


@pytest.mark.parametrize(
    ("asked", "media_type", "begins"),
    [
        ("json", "application/json", b"{"),
        ("text", "text/plain; charset=utf-8", b"Die Hard"),
        ("graphml", "application/graphml+xml", b"<?xml"),
        ("node-link", "application/vnd.networkx.node-link+json", b"{"),
        ("svg", "image/svg+xml", b"<?xml"),
        ("png", "image/png", b"\x89PNG"),
    ],
)
def test_each_format_comes_by_parameter_and_by_header(shared: Live, asked: str, media_type: str, begins: bytes) -> None:
    by_parameter = shared.client.get(WHY, params={"format": asked})
    by_header = shared.client.get(WHY, headers={"Accept": media_type})
    for answer in (by_parameter, by_header):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == media_type
        assert answer.content.startswith(begins)


@pytest.mark.parametrize(
    ("headers", "parameters", "lang"),
    [
        ({}, {}, "en"),
        ({"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, {}, "zh"),
        ({"Accept-Language": "fr, en;q=0.5, zh;q=0.4"}, {}, "en"),
        ({"Accept-Language": "zh"}, {"lang": "en"}, "en"),
        ({"Accept-Language": ";;q=x,zh;q=never"}, {}, "en"),
    ],
)
def test_the_language_is_the_parameter_or_what_the_header_prefers(
    shared: Live, headers: dict[str, str], parameters: dict[str, str], lang: str
) -> None:
    explained = shared.client.get(WHY, headers=headers, params=parameters).json()
    assert explained["lang"] == lang
    listed = shared.client.get("/v1/users/ann/recommendations", headers=headers, params=parameters).json()
    assert ("选了" in str(listed)) == (lang == "zh")
    of_entity = shared.client.get("/v1/entities/Genre:action/items", headers=headers, params=parameters).json()
    assert ("选过" in str(of_entity)) == (lang == "zh")


def test_lists_are_told_in_the_language_of_the_body(shared: Live) -> None:
    for path in ("/recommend", "/v1/recommendations"):
        assert "选了" in shared.client.post(path, json={"user_id": "ann", "lang": "zh"}).text
        refused = shared.client.post(path, json={"user_id": "ann", "lang": "xx"})
        assert (refused.status_code, refused.json()["field"]) == (422, "lang")


def test_without_and_counterfactual_over_http(shared: Live) -> None:
    query = {"without": "Director:tarantino", "counterfactual": "true", "n": "2"}
    explained = shared.client.get("/v1/users/ann/items/jackie/explanation", params=query).json()
    assert explained["change"]["score_change"] == pytest.approx(explained["change"]["stated_change"], abs=1e-4)
    assert explained["counterfactual"]["n"] == 2
    refused = shared.client.get(WHY, params={"without": "nothing"})
    assert (refused.status_code, refused.json()["field"]) == (422, "without")
    listed = shared.client.post("/v1/recommendations", json={"user_id": "ann", "without": ["Director:tarantino"]})
    assert "Tarantino" not in listed.text


def test_a_witness_needs_an_admin_key(shared: Live, start: Callable[..., Live]) -> None:
    made = {scope: new_key(scope, scope) for scope in ("read", "admin")}
    live = start(shared.services, keys=tuple(key for _, key in made.values()))
    status = {}
    for scope, (secret, _) in made.items():
        answer = httpx.get(live.url + WHY, params={"witness": "true"}, headers={"X-API-Key": secret})
        status[scope] = answer.status_code
        assert ('"witness"' in answer.text) == (scope == "admin")
    assert status == {"read": 403, "admin": 200}
