"""The console as a server of its own, on this machine only."""

from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from nicegui import app, ui
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from console.answers import Answers
from console.catalogue import Catalogue
from console.client import Api
from console.lists import Lists
from console.parts import BALL
from console.rules import Rules
from console.whom import Whom

HOST = "127.0.0.1"
NAMES = ("localhost", HOST)


@dataclass(frozen=True)
class ConsoleConfig:
    """port: of the console. api_url, api_key: of the API; the key stays in this process."""

    port: int
    api_url: str
    api_key: str | None = field(default=None, repr=False)


def run(config: ConsoleConfig) -> None:
    """Serves until SIGINT or SIGTERM."""
    api = Api(config.api_url, config.api_key)
    _add_pages(api)
    app.add_middleware(ThisMachineOnly)
    app.on_shutdown(api.close)
    with suppress(KeyboardInterrupt):  # the server ends first, and then raises the signal once more
        ui.run(
            host=HOST,
            port=config.port,
            title="Clew",
            favicon=BALL.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" '),
            dark=None,
            show=False,
            reload=False,
            show_welcome_message=False,
            uvicorn_logging_level="warning",
        )


def _add_pages(api: Api) -> None:
    @ui.page("/")
    def lists(request: Request) -> None:
        asked = request.query_params
        where = (asked.get("placement", ""), asked.get("query", ""))
        whom = Whom.of(asked.get("user"), asked.getlist("taste"), asked.getlist("pick"), *where)
        Lists(api, whom, asked.get("item")).build()

    @ui.page("/rules")
    def rules(request: Request) -> None:
        Rules(api, request.query_params.get("id")).build()

    @ui.page("/answers")
    def answers(request: Request) -> None:
        Answers(api, request.query_params.get("id")).build()

    @ui.page("/catalogue")
    def catalogue() -> None:
        Catalogue(api).build()

    _ = lists, rules, answers, catalogue  # the decorator keeps them


class ThisMachineOnly:
    """Refuses what a page of another origin, or a name that was made to point here, has a browser send."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and not _is_ours(dict(scope["headers"])):
            if scope["type"] == "http":
                await PlainTextResponse("The console answers on this machine only.", 403)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)


def _is_ours(headers: dict[bytes, bytes]) -> bool:
    host, origin = headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin", b"").decode("latin-1")
    if urlsplit(f"//{host}").hostname not in NAMES:
        return False
    return not origin or urlsplit(origin).netloc == host
