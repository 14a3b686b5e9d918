"""Work in the background of a serving process that requests hardly feel.

Python runs one thread at a time: work that goes on without a pause doubles what a request takes.
"""

import contextlib
import sys
import time
from collections.abc import Generator
from functools import cached_property
from types import FrameType

SWITCH_S = 0.0001  # a waiting request has the interpreter back after so long (Python's own: 5 ms)
WORK_S = 0.002
REST = 4  # times as long as the work before
LOCKS = cached_property.__get__.__code__  # holds a lock that all instances share


@contextlib.contextmanager
def paced() -> Generator[None]:
    """Within, the calling thread rests four times as long as it worked, every two milliseconds of its work.

    It rests where it calls or returns from a function, so hold no lock within that a request may want.
    """
    began = time.thread_time()

    def look(frame: FrameType, *_: object) -> None:
        nonlocal began
        worked = time.thread_time() - began
        if worked > WORK_S and not _holds_lock(frame):
            time.sleep(REST * worked)
            began = time.thread_time()

    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        sys.setswitchinterval(before)


def _holds_lock(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is LOCKS:
            return True
        frame = frame.f_back
    return False
