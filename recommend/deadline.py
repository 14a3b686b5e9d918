"""A graph that answers in time or not at all: a server that hangs must not hold up an answer."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from domain.errors import GraphUnavailable
from recommend.ports import GraphReader

T = TypeVar("T")
WORKERS = 8
MARGIN_S = 0.01  # the server is told timeout_s; its own "timed out" may take so long to arrive
AWAY_S = 0.5  # a server that could not be reached is not tried again before: a try costs a fifth of a list with reasons


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
    """A GraphReader that waits for timeout_s at most.

    Raises: GraphUnavailable when the time is over, and for half a second after the server could not be reached.
    """

    def __init__(self, graph: GraphReader) -> None:
        self._graph = graph
        self._patience = Patience()
        self._away_until = 0.0

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        if monotonic() < self._away_until:
            raise GraphUnavailable("Neo4j could not be reached a moment ago")
        return self._patience.wait(lambda: self._asked(statement, parameters, timeout_s), timeout_s)

    def _asked(self, statement: str, parameters: Mapping[str, object], timeout_s: float) -> list[dict[str, object]]:
        try:
            return self._graph.rows(statement, parameters, timeout_s=timeout_s)
        except GraphUnavailable:
            self._away_until = monotonic() + AWAY_S
            raise
