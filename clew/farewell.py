"""When everybody has followed an erasure, the record that announced it, the last to name the person, goes too."""

import logging
import time
from collections.abc import Callable

from clew.erasing import scrub_home
from clew.settings import Settings
from domain.errors import ClewError
from ingest.log_contract import DurableLog
from recommend.shelf import SharedState

FOLLOWED_S = 60.0  # every process follows the log within seconds; one that starts later finds nobody to hide
logger = logging.getLogger("clew.writer")


class Farewell:
    """Called by the writer with the offset up to which Neo4j holds the log.

    shared: how Redis is, where there is one.
    """

    def __init__(self, settings: Settings, log: DurableLog, shared: Callable[[], SharedState] | None) -> None:
        self._settings = settings
        self._log = log
        self._shared = shared
        self._offset, self._since = 0, time.monotonic()

    def __call__(self, written: int) -> None:
        """Forgets announcements that were in Neo4j a minute ago. What goes wrong is tried again a minute later."""
        if time.monotonic() - self._since < FOLLOWED_S:
            return
        try:
            # Redis ends at the last record that can be read, Neo4j also behind a gap after it
            followed = self._offset if self._shared is None else min(self._offset, self._shared().offset)
            if followed:
                scrub_home(self._settings, self._log)
                self._log.forget_erasures(followed)
        except ClewError as error:
            logger.info("announcements of erasures stay for another minute: %s", error.message)
        self._offset, self._since = written, time.monotonic()
