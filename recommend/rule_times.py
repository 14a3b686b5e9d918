"""When a rule holds: its validity, and hours of a place."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.rules import WEEKDAYS, Rule, Times

MINUTE_MS = 60_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Clock:
    """holds: at a time, ms UTC. edges: times at which that may change. every_minute: it may change at any full one."""

    holds: Callable[[int], bool]
    edges: tuple[int, ...]
    every_minute: bool


def clock_of(rule: Rule) -> Clock:
    """The times at which a rule holds; all of them where it names none."""
    times, validity = rule.condition.times, rule.validity
    spans = [(validity.from_, validity.until)]
    if times is not None:
        spans.append((instant(times.from_, times.zone), instant(times.until, times.zone)))
    edges = tuple(edge for span in spans for edge in span if edge is not None)
    in_hours = _hours_test(times) if times is not None and (times.weekdays or times.hours) else None

    def holds(now_ms: int) -> bool:
        inside = all((start is None or start <= now_ms) and (end is None or now_ms < end) for start, end in spans)
        return inside and (in_hours is None or in_hours(now_ms))

    return Clock(holds, edges, in_hours is not None)


def instant(local: str | None, zone: str) -> int | None:
    """Milliseconds UTC of a local time. One that comes twice, in autumn, is the first of the two."""
    if local is None:
        return None
    at = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone))
    return (at - EPOCH) // timedelta(milliseconds=1)


def _hours_test(times: Times) -> Callable[[int], bool]:
    zone, weekdays = ZoneInfo(times.zone), {WEEKDAYS.index(day) for day in times.weekdays} or set(range(7))
    start, end = (time.fromisoformat(hour) for hour in times.hours or ("00:00", "00:00"))

    def test(now_ms: int) -> bool:
        local = (EPOCH + timedelta(milliseconds=now_ms)).astimezone(zone)
        today, yesterday, now = local.weekday(), (local.weekday() - 1) % 7, local.time()
        if start < end:
            return today in weekdays and start <= now < end
        return (today in weekdays and now >= start) or (yesterday in weekdays and now < end)

    return test
