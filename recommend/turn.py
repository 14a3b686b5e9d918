"""Threads that make lists take turns: making one is Python, and Python runs one thread at a time anyway.

Left to the interpreter, threads that compute at once change every few milliseconds and each waits for all others; one
after the other, twice as many lists were made per second on 2 cores.
"""

import threading
from collections.abc import Mapping

from recommend.ports import GraphReader


class Turn:
    """Held while a thread computes: `with turn: …`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def give_away(self) -> None:
        self._lock.release()

    def take_back(self) -> None:
        self._lock.acquire()


class WaitingAside:
    """A graph for threads that hold the turn: another one computes while Neo4j is asked."""

    def __init__(self, graph: GraphReader, turn: Turn) -> None:
        self._graph = graph
        self._turn = turn

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        self._turn.give_away()
        try:
            return self._graph.rows(statement, parameters, timeout_s=timeout_s)
        finally:
            self._turn.take_back()
