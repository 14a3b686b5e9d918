"""How Neo4j is, looked at from beside the requests, so that none of them waits for it."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from api.services import Graph
from domain.errors import ClewError, LogError

INTERVAL_S = 2.0
SLOW_S = 2.0  # a Neo4j that takes longer is not ok; the driver waits for a silent one for much longer
PROMPT_S = 1.0  # a slow one is ok again when it answers within this, so that it does not come and go
logger = logging.getLogger("clew.api")


@dataclass(frozen=True)
class GraphState:
    """What was seen last. writer_offset: newest record in Neo4j, kept while Neo4j is away; None: never seen.

    lag_s: for how long the oldest record that Neo4j does not hold has been waiting; None: not known.
    """

    ok: bool
    version: str | None
    writer_offset: int | None
    error: str | None
    lag_s: float | None = None


class LagClock:
    """Ages of offsets, to the nearest look: records do not say when they were written."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()  # when the log was first seen to reach an offset

    def look(self, now_s: float, log_offset: int, writer_offset: int) -> float:
        """Seconds since the oldest record above writer_offset was first seen; 0 when there is none."""
        if not self._seen or log_offset > self._seen[-1][1]:
            self._seen.append((now_s, log_offset))
        while self._seen and self._seen[0][1] <= writer_offset:
            self._seen.popleft()
        return now_s - self._seen[0][0] if self._seen else 0.0


class GraphWatch:
    """Asks Neo4j every few seconds, in a thread of its own. last_offset: of the log."""

    def __init__(self, graph: Graph | None, last_offset: Callable[[], int], *, interval_s: float = INTERVAL_S) -> None:
        self._graph = graph
        self._last_offset = last_offset
        self._clock = LagClock()
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="graph-watch", daemon=True)
        self._state = GraphState(False, None, None, "no Neo4j is configured" if graph is None else "not seen yet")
        self._asked_at: float | None = None  # of the look that waits for an answer
        self._is_slow = False

    @property
    def state(self) -> GraphState:
        """As last seen, but for a Neo4j that has been silent since."""
        asked_at, state = self._asked_at, self._state
        waits_s = 0.0 if asked_at is None else time.monotonic() - asked_at
        if state.ok and waits_s > SLOW_S:
            return replace(state, ok=False, error=f"Neo4j has not answered for {waits_s:.0f} s")
        return state

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
        before, began = self._state, time.monotonic()
        self._asked_at = began
        try:
            now = GraphState(True, self._graph.verify(), self._graph.writer_offset(), None)
        except ClewError as error:
            now = GraphState(False, before.version, before.writer_offset, error.message)
        took_s = time.monotonic() - began
        self._is_slow = took_s > (PROMPT_S if self._is_slow else SLOW_S)
        if now.ok and self._is_slow:
            now = replace(now, ok=False, error=f"Neo4j took {took_s:.1f} s to answer")
        now = replace(now, lag_s=self._lag_s(now.writer_offset))
        if now.ok != before.ok:
            logger.info("Neo4j is %s", "there" if now.ok else f"away: {now.error}")
        self._state, self._asked_at = now, None
        return now

    def _lag_s(self, writer_offset: int | None) -> float | None:
        try:
            return (
                None
                if writer_offset is None
                else self._clock.look(time.monotonic(), self._last_offset(), writer_offset)
            )
        except LogError:
            return None

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look()
            self._stop.wait(self._interval_s)
