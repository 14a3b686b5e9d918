"""How a log on Kafka goes on after what was seen of another: its offsets are Kafka's, and leap where a skip lies.

A skip lies in the topic among the records, so that every machine counts alike: one byte, and the offset (8) that is
passed over with everything below it.
"""

from bisect import bisect_right
from collections.abc import Iterable

from confluent_kafka import Message

SKIP = b"\x03"


class Skips:
    """Between our offsets and Kafka's positions: a position is how many of the topic's messages lie below it.

    known: (position behind it, offset) of skips, by position. One thread at a time may note; any number asks.
    """

    def __init__(self, known: Iterable[tuple[int, int]]) -> None:
        self._leaps = [(0, 0)]
        for position, offset in known:
            self.note(position, offset)

    def note(self, position: int, offset: int) -> None:
        """A skip that was read; it changes nothing when it was known, or the log was further on already."""
        if position > self._leaps[-1][0] and offset > self.offset(position):
            self._leaps = [*self._leaps, (position, offset)]

    def offset(self, position: int) -> int:
        """Our offset of the newest record below the position; 0 at the beginning."""
        leaps = self._leaps
        start, first = leaps[bisect_right(leaps, position, key=lambda leap: leap[0]) - 1]
        return first + position - start

    def position(self, offset: int) -> int:
        """The highest position below which nothing has a higher offset of ours."""
        leaps = self._leaps
        place = bisect_right(leaps, offset, key=lambda leap: leap[1])
        start, first = leaps[place - 1]
        position = start + offset - first
        return position if place == len(leaps) else min(position, leaps[place][0] - 1)


def skip_to(offset: int) -> bytes:
    """A skip as it lies in the topic."""
    return SKIP + offset.to_bytes(8, "big")


def skips_in(messages: Iterable[Message]) -> list[tuple[int, int]]:
    """(position behind it, offset) of each skip among the messages."""
    values = [((message.offset() or 0) + 1, message.value() or b"") for message in messages]
    return [(position, int.from_bytes(value[1:], "big")) for position, value in values if value[:1] == SKIP]
