"""Errors as HTTP: one table of statuses, and RFC 9457 problem bodies.

A problem is {type, title, status, detail, code, request_id}, with `field` where an input is at fault, `position` where
it is a place in a query and, for several faults at once, `errors`: [{field, code, message}].
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import cast

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from domain import errors
from domain.errors import ClewError, InvalidQuery, Position

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
MOST_SHOWN = 20

# The status of each class and of what is below it; the nearest entry on the way up counts.
STATUS: dict[type[ClewError], int] = {
    ClewError: 500,
    errors.InvalidInput: 422,
    errors.InvalidMapping: 500,
    errors.InvalidSource: 500,
    errors.InvalidSettings: 500,
    errors.EventConflict: 409,
    errors.NotFound: 404,
    errors.VersionMismatch: 412,
    errors.Gone: 410,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.AccessError: 403,
    errors.ServerError: 503,
    errors.LogError: 503,
    errors.LogFull: 507,
    errors.LedgerError: 503,
    errors.ModelError: 503,
    errors.MissingExtra: 503,
    errors.LoadInterrupted: 503,
}


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a request was not done (RFC 9457). `code` is stable; `detail` says what happened, to what, what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str | None = None
    position: Position | None = None
    errors: list[dict[str, str]] | None = None
    rejected: list[dict[str, object]] | None = None


def status_of(error: type[ClewError]) -> int:
    """The HTTP status of an error class: its own, or that of its nearest ancestor in the table."""
    return next(STATUS[parent] for parent in error.__mro__ if parent in STATUS)


def install_handlers(app: FastAPI) -> None:
    """Has the app answer every error with a problem."""
    app.add_exception_handler(ClewError, _clew_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


def problem(
    request_id: str,
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    position: Position | None = None,
    several: list[dict[str, str]] | None = None,
    rejected: list[dict[str, object]] | None = None,
) -> Response:
    """A problem as a response. Whatever text a client sent in is made encodable first."""
    body = Problem(
        type="about:blank",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=encodable(detail),
        code=code,
        request_id=request_id,
        field=encodable(field) if field else None,
        position=position,
        errors=several,
        rejected=rejected,
    )
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "ApiKey"
    return Response(msgspec.json.encode(body), status, headers, PROBLEM_TYPE)


def encodable(text: str, limit: int = 1_000) -> str:
    """The text with lone surrogates replaced and cut to a length: fit to be sent back."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return cut.encode("utf-8", "replace").decode()


def request_id_of(request: Request) -> str:
    return cast(str, request.scope.get("clew.request_id", ""))


def _clew_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ClewError)
    rejected = getattr(error, "rejected", None)
    return problem(
        request_id_of(request),
        status_of(type(error)),
        error.code,
        error.message,
        field=error.field,
        position=error.position if isinstance(error, InvalidQuery) else None,
        rejected=rejected,
    )


def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = cast(Sequence[dict[str, object]], error.errors())
    first = faults[0]
    if first["loc"] == ("body",) and isinstance(first.get("input"), bytes):
        detail = "send the body as JSON, with Content-Type: application/json"
        return problem(request_id_of(request), 415, "unsupported_media_type", detail)
    shown = [_fault(fault) for fault in faults[:MOST_SHOWN]]
    lead = shown[0]
    code = "invalid_id" if lead["code"] == "invalid_id" else "invalid_request"
    detail = f"{lead['field']}: {lead['message']}" if lead["field"] else lead["message"]
    return problem(request_id_of(request), 422, code, detail, field=lead["field"], several=shown)


def _fault(fault: dict[str, object]) -> dict[str, str]:
    place = [str(part) for part in cast(Sequence[object], fault["loc"])]
    return {
        "field": encodable(".".join(place[1:]), 200) or place[0],
        "code": encodable(str(fault["type"]), 100),
        "message": encodable(str(fault["msg"]), 500),
    }


def _http_error(request: Request, error: Exception) -> Response:
    """What the framework refuses: bodies that are no JSON, addresses and methods it does not know."""
    assert isinstance(error, HTTPException)
    code, detail = _REFUSALS.get(error.status_code, ("http_error", str(error.detail)))
    answer = problem(request_id_of(request), error.status_code, code, detail or str(error.detail))
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


_REFUSALS = {
    400: ("invalid_json", ""),
    422: ("invalid_request", ""),
    415: ("unsupported_media_type", ""),
    404: ("unknown_address", "there is nothing at this address; see /docs"),
    405: ("method_not_allowed", "this address does not know that method; see /docs"),
    413: ("body_too_large", "the body is larger than the API takes (8 MiB); send it in parts"),
}
