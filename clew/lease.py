"""Who drains the log: one process per home, by a lock file that the system frees when its holder dies."""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from domain.errors import ServerBusy

POLL_S = 0.5
logger = logging.getLogger("clew.writer")


@contextmanager
def held(path: Path, *, wait: bool, stopping: Callable[[], bool]) -> Generator[bool]:
    """Holds the lease around the block; False when `stopping` came true while waiting for it.

    wait: stand by until the present holder ends. Raises: ServerBusy, without wait, while another holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    if wait and is_held(path):
        logger.info("another writer drains this log; standing by")
    while not stopping():
        try:
            lock.acquire(timeout=POLL_S if wait else 0)
        except Timeout as error:
            if not wait:
                raise ServerBusy("another writer drains this log; `clew serve` starts one by itself") from error
            continue
        try:
            yield True
        finally:
            lock.release()
        return
    yield False


def is_held(path: Path) -> bool:
    """Whether somebody drains the log now."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
