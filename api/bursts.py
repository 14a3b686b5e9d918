"""Who posts more events in a minute than a person can make."""

import threading
import time
from collections import Counter
from collections.abc import Callable

MINUTE_S = 60


class Bursts:
    """Counts events by user and minute, as they arrive in this process. limit: 0 never refuses.

    clock: seconds that never go back.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._counts = Counter[str]()

    def is_over(self, user_id: str) -> bool:
        """Counts one more event of the user. Whether it is beyond the limit."""
        if self._limit == 0:
            return False
        with self._lock:
            minute = int(self._clock() // MINUTE_S)
            if minute != self._minute:
                self._minute, self._counts = minute, Counter()
            self._counts[user_id] += 1
            return self._counts[user_id] > self._limit
