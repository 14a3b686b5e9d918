"""Whether a rule can be used with what the graph declares, and which other rules it is at odds with."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time
from math import isfinite
from zoneinfo import ZoneInfo

import numpy as np

from domain.errors import InvalidRequest
from domain.rules import NEEDS, WEEKDAYS, Condition, Consequence, Rule, StoredRule, Target, Times
from recommend.filter import compile_filter
from recommend.rule_targets import Targets
from recommend.segments import SEGMENTS
from recommend.words import words_of
from recommend.world import View

MOST_WARNINGS = 20
LISTS = ("placements", "segments", "entities", "queries", "context_items", "context_entities")


def check_rule(view: View, rule: Rule) -> None:
    """Raises: InvalidRequest naming the field."""
    _check_condition(view, rule.condition)
    _check_consequence(view, rule.consequence)
    start, end = rule.validity.from_, rule.validity.until
    if start is not None and end is not None and start >= end:
        raise InvalidRequest("a rule is valid from before until", field="validity")


def warnings_for(view: View, rule_id: str, rule: Rule) -> tuple[str, ...]:
    """What a merchandiser should know of a rule: it finds nothing, or others that may hold with it want otherwise."""
    rows = Targets(view.catalogue).rows(rule.consequence)
    said = [*_alone(view, rule.consequence, rows)]
    others = [one for one in view.rules.conditions.rules if one.rule_id != rule_id]
    for other in others:
        if rule.enabled and other.rule is not None and _may_meet(rule, other.rule):
            said += _between(view, rule.consequence, rows, other)
        if len(said) >= MOST_WARNINGS:
            break
    return tuple(said[:MOST_WARNINGS])


def _check_condition(view: View, condition: Condition) -> None:
    for segment in condition.segments:
        if segment not in SEGMENTS:
            raise InvalidRequest(f"no segment {segment!r}; there are {', '.join(SEGMENTS)}", field="condition.segments")
    properties = {declared.name for declared in view.declaration.user_properties if not declared.sensitive}
    for name, values in condition.profile.items():
        if name not in properties:
            known = ", ".join(sorted(properties)) or "none"
            raise InvalidRequest(f"no property {name!r} of users; declared: {known}", field="condition.profile")
        if not values:
            raise InvalidRequest(f"{name} needs one value at least", field="condition.profile")
    for query in condition.queries:
        if not words_of(query):
            raise InvalidRequest(f"{query!r} has no word", field="condition.queries")
    for name in ("entities", "context_entities"):
        for entity_id in getattr(condition, name):
            _check_entity(view, entity_id, f"condition.{name}")
    if condition.times is not None:
        _check_times(condition.times)


def _check_times(times: Times) -> None:
    field = "condition.times"
    try:
        ZoneInfo(times.zone)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError, caught below
        raise InvalidRequest(f"no time zone {times.zone!r}", field=field) from error
    except KeyError as error:
        raise InvalidRequest(f"no time zone {times.zone!r}; one is Europe/Amsterdam", field=field) from error
    edges = [_local(value, field) for value in (times.from_, times.until)]
    if edges[0] is not None and edges[1] is not None and edges[0] >= edges[1]:
        raise InvalidRequest("times begin before they end", field=field)
    for day in times.weekdays:
        if day not in WEEKDAYS:
            raise InvalidRequest(f"no weekday {day!r}; there are {', '.join(WEEKDAYS)}", field=field)
    for hour in times.hours or ():
        try:
            is_plain = time.fromisoformat(hour).tzinfo is None
        except ValueError:
            is_plain = False
        if not is_plain:
            raise InvalidRequest(f"an hour is HH:MM, not {hour!r}", field=field)


def _local(value: str | None, field: str) -> datetime | None:
    try:
        at = None if value is None else datetime.fromisoformat(value)
    except ValueError:
        at = datetime.max.replace(tzinfo=ZoneInfo("UTC"))
    if at is not None and (at.tzinfo is not None or not 1900 <= at.year <= 9000):
        raise InvalidRequest(f"a local time is 2026-12-01T09:00, without a zone, not {value!r}", field=field)
    return at


def _check_consequence(view: View, wanted: Consequence) -> None:
    needs = NEEDS[wanted.effect]
    for name in ("target", "item_id", "position", "factor", "entity_type", "most", "entity_id", "share"):
        given = getattr(wanted, name) is not None
        if given != (name in needs):
            verb = "needs" if name in needs else "takes no"
            raise InvalidRequest(
                f"{wanted.effect} {verb} {name}; it goes with {', '.join(needs)}", field=f"consequence.{name}"
            )
    if wanted.factor is not None and not (isfinite(wanted.factor) and wanted.factor >= 1):
        raise InvalidRequest("factor is 1 or more: bury is there for the other way", field="consequence.factor")
    if wanted.entity_type is not None:
        kinds = {kind.label: kind for kind in view.declaration.entity_types if not kind.sensitive}
        if wanted.entity_type not in kinds:
            known = ", ".join(kinds) or "none"
            raise InvalidRequest(
                f"no entity type {wanted.entity_type!r}; declared: {known}", field="consequence.entity_type"
            )
    if wanted.entity_id is not None:
        _check_entity(view, wanted.entity_id, "consequence.entity_id")
    if wanted.target is not None:
        _check_target(view, wanted.target)


def _check_target(view: View, target: Target) -> None:
    if not (target.item_ids or target.filter is not None or target.path):
        raise InvalidRequest("a target has item_ids, a filter, or a path and to", field="consequence.target")
    if target.filter is not None:
        compile_filter(target.filter, view.catalogue.field_names)
    if bool(target.path) != (target.to is not None) or len(target.path) > 2:
        raise InvalidRequest(
            "a path is one or two relation types, and `to` is where it ends", field="consequence.target"
        )
    kinds = {kind.type: kind for kind in view.declaration.relation_types if not kind.sensitive and kind.head != "User"}
    for type_name in target.path:
        if type_name not in kinds:
            known = ", ".join(kinds) or "none"
            raise InvalidRequest(f"no relation {type_name!r}; declared: {known}", field="consequence.target.path")
    if target.to is not None and target.to not in view.catalogue.item_rows:
        _check_entity(view, target.to, "consequence.target.to")


def _check_entity(view: View, entity_id: str, field: str) -> None:
    row = view.catalogue.entity_rows.get(entity_id)
    if row is None or view.catalogue.is_sensitive(row):
        raise InvalidRequest(f"no entity {entity_id!r}; ids have the form Type:key", field=field)


def _alone(view: View, wanted: Consequence, rows: np.ndarray) -> Iterator[str]:
    if wanted.effect == "pin" and len(rows) == 0:
        yield f"there is no item {wanted.item_id} yet; it is pinned when there is"
    elif wanted.effect == "pin" and not view.catalogue.available[rows[0]]:
        yield f"{wanted.item_id} is not available; it is pinned when it is"
    elif wanted.effect != "cap" and len(rows) == 0:
        yield "no item is a target of this rule at present"


def _between(view: View, wanted: Consequence, rows: np.ndarray, other: StoredRule) -> Iterator[str]:
    """What a rule and another one, which may hold for the same request, want differently."""
    assert other.rule is not None
    theirs, name = other.rule.consequence, f"rule {other.rule_id}"
    effects = {wanted.effect, theirs.effect}
    if effects == {"pin"} and wanted.position == theirs.position and wanted.item_id != theirs.item_id:
        yield f"{name} pins {theirs.item_id} to the same place; the higher priority, then the lower id, gets it"
    elif effects == {"cap"} and wanted.entity_type == theirs.entity_type:
        yield f"{name} caps {theirs.entity_type} too, at {theirs.most}; the lower number counts"
    elif effects & {"hide", "filter_out", "filter_in"} and effects & {"pin", "boost", "min_share"}:
        shared = _shared(rows, view.rules.rows[other.rule_id])
        hides_all_but = "filter_in" in effects
        told = shared if not hides_all_but else _outside(wanted, rows, view.rules.rows[other.rule_id])
        if told:
            yield f"{name} ({theirs.effect}) and this one ({wanted.effect}) disagree over {told} items; hiding counts"
    elif effects == {"boost", "bury"}:
        shared = _shared(rows, view.rules.rows[other.rule_id])
        if shared:
            yield f"{name} ({theirs.effect}) and this one ({wanted.effect}) take each other back for {shared} items"


def _shared(left: np.ndarray, right: np.ndarray) -> int:
    return len(np.intersect1d(left, right, assume_unique=True))


def _outside(wanted: Consequence, rows: np.ndarray, others: np.ndarray) -> int:
    """Items that one of two rules wants shown and the other, a filter_in, does not let in."""
    shown, let_in = (others, rows) if wanted.effect == "filter_in" else (rows, others)
    return len(np.setdiff1d(shown, let_in, assume_unique=True))


def _may_meet(left: Rule, right: Rule) -> bool:
    """Whether both rules may hold for one request: nothing that both ask for rules that out."""
    starts = [rule.validity.from_ for rule in (left, right) if rule.validity.from_ is not None]
    ends = [rule.validity.until for rule in (left, right) if rule.validity.until is not None]
    if starts and ends and max(starts) >= min(ends):
        return False
    exclusive = ("placements", "segments", "context_items")
    pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...]]] = [
        (getattr(left.condition, name), getattr(right.condition, name)) for name in exclusive
    ]
    return all(not one or not other or set(one) & set(other) for one, other in pairs)
