"""Redis beside the log: the writer's loop that fills it, and the watch of a serving process over it."""

import logging
import threading

from domain.errors import LogError, ProfilesUnavailable
from ingest.log_contract import DurableLog
from recommend.shared import SharedProfiles
from recommend.shelf import SharedState
from recommend.world import World

BATCH = 5_000
IDLE_S = 0.05
LOOK_S = 1.0
LONGEST_WAIT_S = 5.0
logger = logging.getLogger("clew.profiles")


def share(log: DurableLog, shared: SharedProfiles, stop: threading.Event) -> None:
    """Until `stop` is set: log -> Redis. While Redis is away it waits longer and longer, up to 5 s."""
    wait_s = IDLE_S
    while not stop.wait(wait_s):
        try:
            wait_s = IDLE_S if share_once(log, shared) is not None else min(2 * wait_s, LONGEST_WAIT_S)
        except LogError as error:
            logger.warning("not shared, trying again: %s", error.message)
            wait_s = LONGEST_WAIT_S


def share_once(log: DurableLog, shared: SharedProfiles) -> int | None:
    """Everything that is in the log now. Returns the number of records; None: Redis cannot be used.

    Raises: LogError.
    """
    written = 0
    while (shared.state if shared.state.ok else shared.look()).ok:
        records = log.read(shared.state.offset, BATCH)
        if not records:
            return written
        try:
            if shared.write(records):
                written += len(records)
            else:
                shared.look()  # another writer was faster
        except ProfilesUnavailable:
            return None
    return None


class SharedWatch:
    """Looks every second how Redis is. When it goes, or comes back with less, the process reads the log again."""

    def __init__(self, shared: SharedProfiles, world: World) -> None:
        self._shared = shared
        self._world = world
        self._stop = threading.Event()
        self._last = shared.look()
        self._thread = threading.Thread(target=self._run, name="profiles-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2 * LOOK_S)

    def look(self) -> SharedState:
        """Looks now."""
        state, before = self._shared.look(), self._last
        self._last = state
        lost = not state.ok or state.offset < before.offset
        if lost and self._world.view().profiles.relies_on_shared:
            logger.info("profiles are read from the log again")
            self._world.replay()
        return state

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.look()
            except LogError as error:
                logger.warning("profiles could not be read from the log: %s", error.message)
