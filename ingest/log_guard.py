"""Whether the log's file is still the one that this process opened, and has all that was seen of it."""

import logging
import time
from pathlib import Path

from domain.errors import LogReplaced
from ingest.log_file import identity_of

GLANCE_S = 0.02
logger = logging.getLogger("clew.log")


class Guard:
    """Once a file was replaced it stays so for this process: what it knows is of another one.

    A file that was put in the place of the log would otherwise never see what is acknowledged here. An older copy that
    was written into the file itself is known by its offsets, which only rise.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity = identity_of(path)
        self._newest = 0
        self._next_s = 0.0
        self._why: str | None = None

    @property
    def newest(self) -> int:
        """The newest offset that was seen. Take it before the file is read, and give it to `saw`."""
        return self._newest

    def glance(self) -> None:
        """As check, looking fifty times a second at most: for readers, who acknowledge nothing. Raises: LogReplaced."""
        now = time.monotonic()
        if self._why is not None or now >= self._next_s:
            self._next_s = now + GLANCE_S
            self.check()

    def check(self) -> None:
        """Looks now. Raises: LogReplaced."""
        if self._why is None and identity_of(self._path) != self._identity:
            self._refuse("was replaced or taken away under this process")
        if self._why is not None:
            raise LogReplaced(self._why)

    def saw(self, offset: int, before: int) -> None:
        """The file's last offset, read after `before` was taken from `newest`. Raises: LogReplaced."""
        if offset < before:
            self._refuse(f"ends at record {offset}, and {before} were there: an older copy was restored into it")
            self.check()
        if offset > self._newest:
            self._newest = offset

    def _refuse(self, what: str) -> None:
        self._why = (
            f"the log {self._path} {what}; nothing is taken until it is started again: restart `clew serve`, and send "
            "again what was posted since the copy was made (the same event_id counts once)"
        )
        logger.error(self._why)
