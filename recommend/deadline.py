"""A graph that answers in time or not at all: a server that hangs must not hold up an answer."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from domain.errors import GraphUnavailable
from recommend.ports import GraphReader

T = TypeVar("T")
WORKERS = 8
MARGIN_S = 0.01  # the server is told timeout_s; its own "timed out" may take so long to arrive


class Patience:
    """Waits for answers of Neo4j, but not for ever.

    While a server hangs, at most 8 questions hang with it; those that come later are not asked.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="graph")

    def wait(self, ask: Callable[[], T], timeout_s: float) -> T:
        """Raises: GraphUnavailable when the time is over."""
        future = self._pool.submit(ask)
        try:
            return future.result(timeout_s + MARGIN_S)
        except TimeoutError as error:
            future.cancel()
            raise GraphUnavailable(f"Neo4j did not answer within {timeout_s:g} s") from error


class Deadline:
    """A GraphReader that waits for timeout_s at most. Raises: GraphUnavailable when the time is over."""

    def __init__(self, graph: GraphReader) -> None:
        self._graph = graph
        self._patience = Patience()

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        return self._patience.wait(lambda: self._graph.rows(statement, parameters, timeout_s=timeout_s), timeout_s)
