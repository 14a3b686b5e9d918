"""Has a serving process follow the log between requests, so that none has to apply what thousands of events brought."""

import logging
import threading

from domain.errors import ClewError
from recommend.world import World

INTERVAL_S = 0.02
TROUBLED_S = 2.0
logger = logging.getLogger("clew.serve")


class Follower:
    """Catches up fifty times a second, in a thread of its own. A request still sees to what came since."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=TROUBLED_S)

    def _run(self) -> None:
        told = ""
        wait_s = INTERVAL_S
        while not self._stop.wait(wait_s):
            try:
                self._world.catch_up()
                told, wait_s = "", INTERVAL_S
            except ClewError as error:
                if error.message != told:
                    logger.warning("the log cannot be followed: %s", error.message)
                told, wait_s = error.message, TROUBLED_S
