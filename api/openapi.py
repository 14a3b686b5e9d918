"""The OpenAPI document: the framework's, with the schemas of the domain's answers and of problems put in."""

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import documents
from api.errors import PROBLEM_TYPE, Problem
from api.json import JSON
from api.schemas import EventIn
from domain import answers, declared, erasure, graph_answers, ledger, person, rule_answers, why_not

ANSWERS: tuple[type, ...] = (
    answers.RankedList,
    answers.Explanation,
    answers.Profile,
    ledger.LedgerEntry,
    ledger.LedgerList,
    ledger.PastExplanation,
    why_not.WhyNot,
    answers.SearchAnswer,
    answers.CatalogueHealth,
    declared.DeclaredTypes,
    documents.NeighbourList,
    documents.ItemOut,
    documents.UserOut,
    documents.EntityOut,
    documents.EventReceipt,
    erasure.ErasureReceipt,
    person.PersonExport,
    documents.Readiness,
    documents.Liveness,
    graph_answers.GraphAnswer,
    rule_answers.RuleOut,
    rule_answers.RuleList,
    rule_answers.RuleHistory,
    rule_answers.Preview,
    Problem,
)
REFERENCE = "#/components/schemas/"
PROBLEMS = {
    400: "The body is not JSON.",
    401: "No key, or an unknown one.",
    403: "The key's scope is not enough; or, without keys, a page of another origin called.",
    404: "Not there.",
    410: "It was there once: the person was erased, or the answer is no longer kept.",
    412: "It was changed since the version that If-Match names.",
    413: "The body is larger than 8 MiB.",
    415: "The body was not sent as JSON.",
    422: "The request cannot be used; `field` says where.",
    503: "Busy or not available; try again after Retry-After seconds.",
    507: "The disk of the log is full; nothing was taken.",
}
READ = (401, 403, 422, 503)
READ_ONE = (*READ, 404)
ASK = (*READ_ONE, 400, 413, 415)
WRITE = (*ASK, 410, 507)


def answers_with(answer: type, description: str, *problems: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: its answer, and the problems it may give instead."""
    content = {JSON: {"schema": {"$ref": REFERENCE + answer.__name__}}}
    return {status: {"description": description, "content": content}, **problems_of(*problems)}


def problems_of(*statuses: int) -> dict[int | str, dict[str, Any]]:
    content = {PROBLEM_TYPE: {"schema": {"$ref": REFERENCE + "Problem"}}}
    return {status: {"description": PROBLEMS[status], "content": content} for status in sorted(statuses)}


def install_openapi(app: FastAPI) -> None:
    """Has app.openapi() give the whole document, made once."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document  # pyright: ignore[reportAttributeAccessIssue] the documented way to extend it


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    schemas: dict[str, Any] = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _, ours = msgspec.json.schema_components(ANSWERS, schema_hook=_any, ref_template=REFERENCE + "{name}")
    schemas.update(ours)
    schemas["EventIn"] = EventIn.model_json_schema(ref_template=REFERENCE + "{model}")
    return made


def _any(_: type) -> dict[str, Any]:
    """The schema of `object`."""
    return {"description": "Any JSON value."}
