"""Which rules hold for a request: found by what they ask for, so that a thousand others cost nothing."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from domain.rules import Condition, Rule, StoredRule
from recommend.rule_times import MINUTE_MS, Clock, clock_of
from recommend.words import words_of

if TYPE_CHECKING:
    from recommend.situation import Situation  # which needs a View, and that has rules

Key = tuple[str, object]


class Conditions:
    """The conditions of some rules. `holding` gives the places of those that hold."""

    def __init__(self, stored: Sequence[StoredRule]) -> None:
        self.rules = tuple(stored)
        self._rules = rules = [one.rule for one in stored if one.rule is not None]
        self._clocks = [clock_of(rule) for rule in rules]
        self._tests = [_tests_of(rule.condition) for rule in rules]
        self._now: _Now | None = None

    def holding(self, situation: "Situation") -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Places, rising: of rules that hold for every request now, and of those that hold for this one."""
        now = self._at(situation.now_ms)
        if not now.by_key:
            return now.always, ()
        found = {
            place
            for key in _keys(situation, asks_for_near=now.asks_for_near)
            for place in now.by_key.get(key, ())
            if all(test(situation) for test in self._tests[place])
        }
        return now.always, tuple(sorted(found))

    def _at(self, now_ms: int) -> "_Now":
        now = self._now
        if now is None or not now.since <= now_ms < now.until:
            now = self._now = _now(self._rules, self._clocks, now_ms)
        return now


def _keys(situation: "Situation", *, asks_for_near: bool) -> Iterator[Key]:
    """What of a request a rule may ask for first, as `_keys_of` gives it."""
    yield "placement", situation.placement
    yield "segment", situation.segment
    yield "context_item", situation.context_item_id
    for kind, values in (
        ("context_entity", situation.context_entities),
        ("word", situation.words),
        ("entity", situation.stated),
    ):
        for value in values:
            yield kind, value
    for name, value in situation.profile.items():
        for one in _entries(value):
            yield f"profile.{name}", (isinstance(one, bool), one)
    if asks_for_near:
        for value in situation.near - situation.stated:
            yield "entity", value


@dataclass(frozen=True)
class _Now:
    """The rules that hold at a time, in [since, until): always, and by what they ask for first."""

    since: int
    until: float
    always: tuple[int, ...]
    by_key: Mapping[Key, tuple[int, ...]]
    asks_for_near: bool


def _now(rules: Sequence[Rule], clocks: Sequence[Clock], now_ms: int) -> _Now:
    always: list[int] = []
    by_key: dict[Key, list[int]] = {}
    for place, rule in enumerate(rules):
        if not clocks[place].holds(now_ms):
            continue
        keys = _keys_of(rule.condition)
        if keys is None:
            always.append(place)
        for key in keys or ():
            by_key.setdefault(key, []).append(place)
    edges = [edge for clock in clocks for edge in clock.edges]
    minute = now_ms // MINUTE_MS * MINUTE_MS
    hourly = [minute, minute + MINUTE_MS] if any(clock.every_minute for clock in clocks) else []
    since = max([-(2**62), *(edge for edge in (*edges, *hourly) if edge <= now_ms)])
    until = min([float("inf"), *(edge for edge in (*edges, *hourly) if edge > now_ms)])
    found = {key: tuple(places) for key, places in by_key.items()}
    return _Now(since, until, tuple(always), found, any(kind == "entity" for kind, _ in found))


def _keys_of(condition: Condition) -> list[Key] | None:
    """What a rule asks for first, the rarest thing: it holds only where a request has one of these. None: always."""
    if condition.context_items:
        return [("context_item", item_id) for item_id in condition.context_items]
    if condition.context_entities:
        return [("context_entity", entity_id) for entity_id in condition.context_entities]
    if condition.queries:
        return [("word", words[0]) for query in condition.queries if (words := words_of(query))]
    for name, values in condition.profile.items():
        return [(f"profile.{name}", (isinstance(value, bool), value)) for value in values]
    if condition.entities:
        return [("entity", entity_id) for entity_id in condition.entities]
    if condition.placements:
        return [("placement", placement) for placement in condition.placements]
    if condition.segments:
        return [("segment", segment) for segment in condition.segments]
    return None


def _tests_of(condition: Condition) -> list[Callable[["Situation"], bool]]:
    """One test per thing that is asked for; times are `Clock`'s."""
    tests: list[Callable[[Situation], bool]] = []
    if condition.placements:
        tests.append(lambda s: s.placement in condition.placements)
    if condition.segments:
        tests.append(lambda s: s.segment in condition.segments)
    for name, values in condition.profile.items():
        wanted = {(isinstance(value, bool), value) for value in values}
        tests.append(lambda s, name=name, wanted=wanted: _has(s.profile.get(name), wanted))
    if condition.entities:
        tests.append(lambda s: any(one in s.stated or one in s.near for one in condition.entities))
    if condition.queries:
        asked = [frozenset(words) for query in condition.queries if (words := words_of(query))]
        tests.append(lambda s: any(words <= s.words for words in asked))
    if condition.context_items:
        tests.append(lambda s: s.context_item_id in condition.context_items)
    if condition.context_entities:
        tests.append(lambda s: any(one in s.context_entities for one in condition.context_entities))
    return tests


def _has(value: object, wanted: Container[tuple[bool, object]]) -> bool:
    return any((isinstance(one, bool), one) in wanted for one in _entries(value))


def _entries(value: object) -> Sequence[object]:
    return cast(Sequence[object], value) if isinstance(value, list | tuple) else (value,)
