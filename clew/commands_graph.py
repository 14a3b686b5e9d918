"""clew up, down, status, doctor: the graph database."""

import socket
from typing import Annotated

import msgspec
import typer

from clew import models, pipeline, show
from clew.settings import Settings, load_settings
from clew.wiring import open_store
from domain.errors import ServerError
from embeddings.artifact import current_version
from graph import server

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


class NeoStatus(msgspec.Struct, frozen=True):
    """Where Neo4j is. password_file: None for a server that is not ours."""

    uri: str
    browser: str | None
    username: str
    password_file: str | None
    version: str | None
    running: bool


class ApiStatus(msgspec.Struct, frozen=True):
    url: str
    running: bool


class ModelStatus(msgspec.Struct, frozen=True):
    """held_back: a newer version that does not serve: it is worse, or was rolled back."""

    version: str | None
    held_back: str | None


class Status(msgspec.Struct, frozen=True):
    """What `clew status --json` prints."""

    neo4j: NeoStatus
    api: ApiStatus
    model: ModelStatus
    home: str


def up() -> None:
    """Start the embedded Neo4j (the first time it is fetched: about 190 MB), or use the running one."""
    connection = pipeline.start_graph(load_settings(), show.TerminalProgress())
    show.out.print(f"Neo4j answers at {connection.uri} as {connection.username}")
    if connection.browser:
        show.out.print(f"Neo4j Browser: {connection.browser} (the password is in {connection.password_file})")
    show.hint("next: `clew ingest SOURCE PATH` or `clew demo`; `clew down` stops it")


def down() -> None:
    """Stop the embedded Neo4j. Data stays."""
    settings = load_settings()
    if settings.neo4j_uri:
        show.out.print(f"NEO4J_URI names {settings.neo4j_uri}: that server is not Clew's to stop")
        return
    stopped = server.down(settings.server_config)
    show.out.print("Neo4j is stopped" if stopped else "no Neo4j was running")
    show.hint("next: `clew up` starts it again, with its data")


def status(json: Json = False) -> None:
    """What runs where: Neo4j, the API, the model."""
    found = look(load_settings())
    if json:
        show.as_json(found)
        return
    neo4j, api = found.neo4j, found.api
    state = f"{neo4j.version} runs" if neo4j.version else "runs, and does not answer" if neo4j.running else "is stopped"
    show.out.print(f"Neo4j   {state}  {neo4j.uri}")
    if neo4j.browser:
        show.out.print(f"        {neo4j.browser} as {neo4j.username}, password in {neo4j.password_file}")
    show.out.print(f"API     {'runs' if api.running else 'is stopped'}  {api.url}")
    held = f"  ({found.model.held_back} is held back: `clew models list`)" if found.model.held_back else ""
    show.out.print(f"model   {found.model.version or 'none yet'}{held}")
    show.out.print(f"home    {found.home}")
    show.hint(_next_step(found))


def doctor(json: Json = False) -> None:
    """Look for what may keep Clew from working, and say what to do about it. Changes nothing."""
    from graph.doctor import doctor as examine

    checks = examine(load_settings().server_config)
    if json:
        show.as_json([{"name": c.name, "ok": c.ok, "detail": c.detail, "advice": c.advice} for c in checks])
    else:
        rows = [("ok" if c.ok else "!!", c.name, c.detail, c.advice) for c in checks]
        show.table("", ("", "check", "finding", "what to do"), rows)
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
    show.hint("next: `clew up`, or `clew demo` to load something")


def look(settings: Settings) -> Status:
    """The present state, without starting anything."""
    return Status(
        neo4j=_outside(settings) if settings.neo4j_uri else _embedded(settings),
        api=ApiStatus(settings.api_url, _listens(settings)),
        model=ModelStatus(current_version(settings.models_dir), models.held(settings.models_dir)),
        home=str(settings.home.resolve()),
    )


def _embedded(settings: Settings) -> NeoStatus:
    seen = server.status(settings.server_config)
    return NeoStatus(seen.uri, seen.browser, seen.username, str(seen.password_file), seen.version, seen.running)


def _outside(settings: Settings) -> NeoStatus:
    try:
        with open_store(settings) as store:
            version = store.verify()
    except ServerError:
        version = None
    uri = settings.neo4j_uri or ""
    return NeoStatus(uri, None, settings.neo4j_username, None, version, version is not None)


def _listens(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104 compared, not bound
    try:
        with socket.create_connection((host, settings.port), timeout=1):
            return True
    except OSError:
        return False


def _next_step(found: Status) -> str:
    if not found.neo4j.running:
        return "next: `clew up`, or `clew demo` to load something and serve it"
    if found.model.version is None:
        return "next: `clew ingest SOURCE PATH`, then `clew train`"
    return "next: `clew recommend USER`" if found.api.running else "next: `clew serve`"
