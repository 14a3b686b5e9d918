"""Held events are taken when their item or user comes, by whatever way: a load, RDF, a record of another server.

A PUT takes them at once, before it is answered; everything else is noticed here, beside the requests.
"""

import logging
import threading
import time

from api.admission import Admission
from domain.errors import ClewError
from recommend.world import View, World

INTERVAL_S = 0.5
SHARE = 0.05  # of the time, at most, however many events are held
logger = logging.getLogger("clew.api")


class Releaser:
    """Looks twice a second, in a thread of its own, and only where something was learnt since."""

    def __init__(self, admission: Admission, world: World) -> None:
        self._admission = admission
        self._world = world
        self._seen: View | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="releaser", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def look(self) -> int:
        """Looks now. Returns how many held events were taken. Raises: LogError."""
        view = self._world.view()
        if view is self._seen:
            return 0
        released = self._admission.release_due()
        self._seen = view  # only now: what failed is looked at again
        return released

    def _run(self) -> None:
        wait_s = INTERVAL_S
        while not self._stop.wait(wait_s):
            began = time.monotonic()
            try:
                if released := self.look():
                    logger.info("%d held events were taken: their items or users are there", released)
            except ClewError as error:
                logger.warning("held events wait on: %s", error.message)
            wait_s = max(INTERVAL_S, (time.monotonic() - began) / SHARE)
