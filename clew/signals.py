"""Commands that stay until they are told to end."""

import os
import signal
import threading
import time
from types import FrameType

PARENT_POLL_S = 1.0


def stop_on_signals(stop: threading.Event) -> None:
    """Has SIGINT and SIGTERM set `stop` instead of ending the process in the middle of something."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def end_with(parent: int) -> None:
    """Has SIGTERM end this process when the parent process is gone: it then belongs to somebody else."""
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)
