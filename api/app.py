"""The HTTP API as one application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api.edge import Edge, guarded_hosts
from api.errors import install_handlers
from api.openapi import install_openapi
from api.routes import (
    catalogue,
    entities,
    events,
    explanation,
    graph,
    guides,
    items,
    ledger,
    operations,
    recommendations,
    rules,
    similar,
    users,
    why_not,
)
from api.services import Services
from api.state import AppState, state_of

ROUTERS = (
    recommendations,
    explanation,
    why_not,
    ledger,
    similar,
    events,
    users,
    items,
    entities,
    rules,
    catalogue,
    graph,
    guides,
    operations,
)
DESCRIPTION = """Recommendations whose every reason is a path in a knowledge graph.

* Ids are strings; whole numbers become decimal text. In paths they are percent-encoded (`a/b` is `a%2Fb`).
* Errors are `application/problem+json` with a stable `code`, the `field` at fault and a `request_id`.
* `X-Request-ID` is echoed, or made.
* A write is answered when it is on disk, and the next request sees it. Neo4j follows within moments.
* With keys configured, send one in `X-API-Key`; its scope is read, write, analyst or admin.
"""
TAGS = [
    {"name": "recommendations", "description": "Ranked lists and the reasons behind them."},
    {"name": "neighbours", "description": "What is near an item, a user or an entity."},
    {"name": "events", "description": "What users do."},
    {"name": "users", "description": "Profiles, stated tastes, erasure."},
    {"name": "items", "description": "The catalogue."},
    {"name": "knowledge", "description": "Entities and relations."},
    {"name": "rules", "description": "Merchandising: what is pinned, boosted, buried, hidden or mixed in."},
    {"name": "catalogue", "description": "Finding things by name, and how healthy the catalogue is."},
    {"name": "graph", "description": "Cypher for analysts."},
    {"name": "operations", "description": "Health and metrics."},
]


def create_app(services: Services) -> FastAPI:
    """An app that serves these services, and leaves closing them to its caller."""
    app = _with_routes()
    state = app.state.clew = AppState.of(services)
    hosts = None if services.keys else guarded_hosts(services.allowed_hosts)
    app.add_middleware(Edge, guarded_hosts=hosts, metrics=state.metrics)
    return app


def openapi_document() -> dict[str, Any]:
    """What /openapi.json answers, without anything to serve from."""
    return _with_routes().openapi()


def _with_routes() -> FastAPI:
    app = FastAPIOffline(
        title="Clew",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        lifespan=_lifespan,
        docs_url="/docs",
        redoc_url=None,
        static_url="/docs-files",
        swagger_ui_parameters={"tryItOutEnabled": True, "persistAuthorization": True},
        redirect_slashes=False,  # a redirect would decode the path
    )
    for module in ROUTERS:
        app.include_router(module.router)
    install_handlers(app)
    install_openapi(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    watch, releaser = state_of(app).watch, state_of(app).releaser
    watch.start()
    releaser.start()
    try:
        yield
    finally:
        releaser.stop()
        watch.stop()
