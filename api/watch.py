"""How Neo4j is, looked at from beside the requests, so that none of them waits for it."""

import logging
import threading
from dataclasses import dataclass

from api.services import Graph
from domain.errors import ClewError

INTERVAL_S = 2.0
logger = logging.getLogger("clew.api")


@dataclass(frozen=True)
class GraphState:
    """What was seen last. writer_offset: newest record in Neo4j, kept while Neo4j is away; None: never seen."""

    ok: bool
    version: str | None
    writer_offset: int | None
    error: str | None


class GraphWatch:
    """Asks Neo4j every few seconds, in a thread of its own."""

    def __init__(self, graph: Graph | None, *, interval_s: float = INTERVAL_S) -> None:
        self._graph = graph
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="graph-watch", daemon=True)
        self._state = GraphState(False, None, None, "no Neo4j is configured" if graph is None else "not seen yet")

    @property
    def state(self) -> GraphState:
        return self._state

    def start(self) -> None:
        if self._graph is not None:
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=self._interval_s)

    def look(self) -> GraphState:
        """Asks now."""
        assert self._graph is not None
        before = self._state
        try:
            now = GraphState(True, self._graph.verify(), self._graph.writer_offset(), None)
        except ClewError as error:
            now = GraphState(False, before.version, before.writer_offset, error.message)
        if now.ok != before.ok:
            logger.info("Neo4j is %s", "there" if now.ok else f"away: {now.error}")
        self._state = now
        return now

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._interval_s)
