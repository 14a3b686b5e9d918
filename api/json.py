"""JSON in and out. In: strict (UTF-8, no NaN, no lone surrogates, bounded depth and numbers). Out: msgspec."""

import re
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

JSON = "application/json"
HALF_A_PAIR = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class StrictJsonRequest(Request):
    """A request whose body is read by msgspec: the standard library lets NaN and lone surrogates through."""

    async def json(self) -> Any:
        """Raises: HTTPException, as `decoded`."""
        return decoded(await self.body())


def decoded(body: bytes) -> Any:
    """Raises: HTTPException 400 saying at which byte the body stops being JSON; 422 for half a surrogate pair."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if HALF_A_PAIR.search(body):  # JSON by its grammar, but no text
            raise HTTPException(422, f"a text holds half a surrogate pair: {error}") from error
        raise HTTPException(400, f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise HTTPException(400, "the body is nested too deep") from error


class StrictJsonRoute(APIRoute):
    """A route whose body is read by StrictJsonRequest."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictJsonRequest(request.scope, request.receive))

        return handle_strictly


def send(value: object, status: int = 200) -> Response:
    """A domain answer as JSON."""
    return Response(msgspec.json.encode(value), status, media_type=JSON)
