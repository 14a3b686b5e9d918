"""The outermost layer of the API: what happens to every request before a route is looked for.

It gives the request an id, lets routes see the path before it is decoded, keeps other web pages away from an API
without keys, measures, and turns an unforeseen error into a problem.
"""

import logging
import re
import time
import uuid
from collections.abc import Sequence
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z")
MAX_BODY_BYTES = 8 * 1024 * 1024
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
logger = logging.getLogger("clew.api")


class Edge:
    """guarded_hosts: the host names that may be in Host and Origin; None: any (the API asks for keys)."""

    def __init__(self, app: ASGIApp, *, guarded_hosts: frozenset[str] | None, metrics: Metrics) -> None:
        self.app = app
        self._guarded_hosts = guarded_hosts
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = request_id_from(headers.get("x-request-id"))
        scope["clew.request_id"] = request_id
        scope["path"] = encoded_path(scope)
        started = time.perf_counter()
        status = 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            refusal = self._refusal(headers)
            if refusal is None:
                await self._run(scope, limited(receive, headers), send_marked)
            else:
                await problem(request_id, 403, "foreign_host", refusal)(scope, receive, send_marked)
        finally:
            self._metrics.observe(scope, status, time.perf_counter() - started)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the app. An error that nobody foresaw is logged and answered with 500, without telling what it was."""
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_watched)
        except Exception:
            request_id = scope["clew.request_id"]
            logger.exception("request %s failed: %s", request_id, Request(scope).method)
            if started:
                raise
            detail = "something went wrong inside Clew; its log has the details under this request_id"
            await problem(request_id, 500, "internal_error", detail)(scope, receive, send)

    def _refusal(self, headers: Headers) -> str | None:
        """Why this request is refused; None when it is not.

        A page elsewhere could otherwise have a browser on this machine call the API (DNS rebinding, forms).
        """
        if self._guarded_hosts is None:
            return None
        if host_name(headers.get("host", "")) not in self._guarded_hosts:
            return "without keys this API answers to localhost only; see CLEW_ALLOWED_HOSTS and CLEW_API_KEYS"
        origin = headers.get("origin")
        if origin is not None and host_name(urlsplit_or_empty(origin)) not in self._guarded_hosts:
            return "without keys this API takes no requests from pages of other origins; see CLEW_ALLOWED_HOSTS"
        return None


def guarded_hosts(extra: Sequence[str]) -> frozenset[str]:
    """The names under which an API without keys may be called."""
    return LOOPBACK_NAMES | frozenset(extra)


def limited(receive: Receive, headers: Headers) -> Receive:
    """A receive that raises HTTPException 413 as soon as the body is, or says that it is, too large."""
    size = 0
    announced = headers.get("content-length", "")
    too_large = announced.isdecimal() and int(announced[:20]) > MAX_BODY_BYTES

    async def receive_limited() -> Message:
        nonlocal size
        if too_large:
            raise HTTPException(413)
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise HTTPException(413)
        return message

    return receive_limited


def request_id_from(sent: str | None) -> str:
    """The id the client sent, when it is 1 to 128 letters, digits and ._:- ; otherwise a new one."""
    return sent if sent is not None and _REQUEST_ID.match(sent) else uuid.uuid4().hex


def encoded_path(scope: Scope) -> str:
    """The path as it was sent, still percent-encoded, so that `/v1/users/a%2Fb` is one user and not two segments.

    Bytes that should have been encoded are, so that the result is ASCII.
    """
    raw: bytes | None = scope.get("raw_path")
    if raw is None:  # the ASGI server does not say
        return scope["path"]
    return "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in raw)


def host_name(host: str) -> str:
    """The name in a Host header, lower case, without port and brackets: "[::1]:8080" is "::1"."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def urlsplit_or_empty(origin: str) -> str:
    """The host part of an Origin, "" for "null" and for nonsense."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
