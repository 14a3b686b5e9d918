"""The OpenAPI document, and the page that shows it without a network."""

import json
import re

import pytest

from api.app import openapi_document
from tests.api.conftest import Live


def test_the_page_loads_nothing_from_elsewhere(shared: Live) -> None:
    page = shared.client.get("/docs")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(sources) >= 2
    for source in sources:
        assert source.startswith("/"), source
        assert shared.client.get(source).status_code == 200


def test_every_call_of_the_design_is_there() -> None:
    calls = {f"{method.upper()} {path}" for path, methods in openapi_document()["paths"].items() for method in methods}
    assert calls >= {
        "POST /recommend",
        "POST /v1/recommendations",
        "GET /v1/users/{user_id}/recommendations",
        "GET /v1/items/{item_id}/similar",
        "GET /v1/users/{user_id}/similar",
        "GET /v1/entities/{entity_id}/items",
        "GET /v1/users/{user_id}/entities",
        "GET /v1/users/{user_id}",
        "GET /v1/users/{user_id}/items/{item_id}/explanation",
        *(f"{method} /v1/{what}" for what in ("users/{user_id}", "items/{item_id}") for method in _ALL),
        *(f"{method} /v1/entities/{{entity_id}}" for method in ("GET", "PUT", "DELETE")),
        "POST /v1/relations",
        "DELETE /v1/relations",
        "POST /v1/events",
        "POST /v1/graph/query",
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
    }


_ALL = ("GET", "PUT", "PATCH", "DELETE")


def test_every_call_says_what_it_does_and_shows_a_problem_it_may_give() -> None:
    for path, methods in openapi_document()["paths"].items():
        for method, call in methods.items():
            assert call["summary"], path
            assert call["description"], path
            if not path.startswith("/health"):
                problem = call["responses"]["422"]["content"]["application/problem+json"]["schema"]
                assert problem == {"$ref": "#/components/schemas/Problem"}, (method, path)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    document = openapi_document()
    names = set(re.findall(r"#/components/schemas/([A-Za-z]+)", str(document)))
    assert names <= set(document["components"]["schemas"])


@pytest.mark.parametrize("path", ["/recommend", "/v1/recommendations", "/v1/events"])
def test_examples_of_bodies_are_answered(shared: Live, path: str) -> None:
    schemas = openapi_document()["components"]["schemas"]
    examples = [{"events": schemas["EventIn"]["examples"]}]
    if path != "/v1/events":
        schema = openapi_document()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        examples = schemas[schema["$ref"].rpartition("/")[2]]["examples"]
    for example in examples:
        answer = shared.client.post(path, json=example)
        assert answer.status_code in (200, 202, 404), answer.text  # 404: a taste that this small world has not


def test_the_document_served_is_the_document(shared: Live) -> None:
    assert shared.client.get("/openapi.json").json() == json.loads(json.dumps(openapi_document()))
