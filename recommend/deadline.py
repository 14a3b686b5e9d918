"""A graph that answers in time or not at all: a server that hangs must not hold up an answer."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from domain.errors import GraphUnavailable
from recommend.ports import GraphReader

WORKERS = 8
MARGIN_S = 0.01  # the server is told timeout_s; its own "timed out" may take so long to arrive


class Deadline:
    """A GraphReader that waits for timeout_s at most. Raises: GraphUnavailable when the time is over.

    While a server hangs, at most 8 questions hang with it; those that come later are not asked.
    """

    def __init__(self, graph: GraphReader) -> None:
        self._graph = graph
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="graph")

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        future = self._pool.submit(self._graph.rows, statement, parameters, timeout_s=timeout_s)
        try:
            return future.result(timeout_s + MARGIN_S)
        except TimeoutError as error:
            future.cancel()
            raise GraphUnavailable(f"Neo4j did not answer within {timeout_s:g} s") from error
