"""The graph itself, for analysts: read-only Cypher within limits."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, JsonValue

from api.auth import needs
from api.json import StrictJsonRoute, send
from api.openapi import ASK, answers_with
from api.schemas import Body
from api.state import Use
from domain.errors import Backlog, GraphUnavailable, QueryTooCostly
from domain.graph_answers import GraphAnswer

MAX_ROWS = 10_000
GRACE_S = 2.0  # for Neo4j to end a query whose time is up; it looks at the clock between rows only
AT_ONCE = 4  # queries that run; a process has forty threads, and lists must go on being served
router = APIRouter(route_class=StrictJsonRoute, tags=["graph"], dependencies=[needs("analyst")])
_places = threading.BoundedSemaphore(AT_ONCE)


class GraphQuery(Body):
    """A Cypher query that only reads."""

    model_config = Body.model_config | {
        "json_schema_extra": {
            "examples": [
                {
                    "query": "MATCH (item:Item)-[:HAS_GENRE]->(genre) WHERE genre.id = $id RETURN item.id, item.name",
                    "parameters": {"id": "Genre:Comedy"},
                    "limit": 5,
                }
            ]
        }
    }

    query: str = Field(min_length=1, max_length=20_000, description="Cypher 25. Values go in `parameters`.")
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=1_000, description="Values of `$name` in the query."
    )
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = Field(default=1_000, description="Rows at most.")
    timeout_s: float = Field(default=10, gt=0, le=60, description="Neo4j ends the query after so many seconds.")


@router.post(
    "/v1/graph/query",
    summary="Ask the graph",
    responses=answers_with(GraphAnswer, "Rows; `truncated` says whether there are more than `limit`.", *ASK),
)
def query_graph(body: GraphQuery, services: Use) -> Response:
    """Read-only Cypher, for keys of the scope analyst or admin: they see all, also what is personal or sensitive.

    A query that writes, reads files, asks the server about itself (SHOW, TERMINATE) or calls a procedure that is not
    listed in the documentation is refused before it runs. `position` says where in the query something is wrong.
    """
    graph = services.graph
    if graph is None:
        raise GraphUnavailable("this server has no Neo4j to ask; set NEO4J_URI, or run `clew up`")
    if not _places.acquire(blocking=False):
        raise Backlog(f"{AT_ONCE} graph queries run already; try again in a moment")
    answer = _within(
        body.timeout_s + GRACE_S,
        lambda: graph.query(body.query, body.parameters, limit=body.limit, timeout_s=body.timeout_s),
    )
    return send(answer)


def _within(seconds: float, ask: Callable[[], GraphAnswer]) -> GraphAnswer:
    """What `ask` returns or raises; its place among those that run is free again when it ends, however late.

    Raises: QueryTooCostly when Neo4j has not ended it in time.
    """
    future = Future[GraphAnswer]()

    def run() -> None:
        try:
            future.set_result(ask())
        except BaseException as error:  # noqa: BLE001 it is raised where the answer is waited for
            future.set_exception(error)
        finally:
            _places.release()

    threading.Thread(target=run, name="graph query", daemon=True).start()
    try:
        return future.result(timeout=seconds)
    except TimeoutError as error:
        raise QueryTooCostly(
            "the query ran out of time, and Neo4j does not end it: one of its rows needs too long (reduce, or a list "
            "over a long range); narrow it"
        ) from error
