"""When a rule holds: for whom, where and when. The fields of its condition and of its validity."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from nicegui import ui

from console.client import Api
from console.fields import Moment, Picked, choice, choices, lines, lines_of, read_scalar, shown_scalar
from console.parts import button, html
from domain.declared import DeclaredTypes

Values = dict[str, Any]
DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
LOCAL = "Hours of a place. The zone says whose; what is empty does not count."


class Who:
    """For which users, by how active they are, what is known of them, and what they like."""

    def __init__(self, api: Api, types: DeclaredTypes, condition: Mapping[str, Any]) -> None:
        self._properties = {one.name: one.name for one in types.user_properties}
        segments = {one: one.capitalize() for one in types.segments}
        self._segments = choices("Who are", segments, condition.get("segments") or ())
        self._entities = Picked(api, {"entity": "Who like"}, condition.get("entities") or (), "a genre, a maker …")
        self._rows: dict[int, tuple[ui.select, ui.textarea]] = {}
        self._box = ui.element("div").classes("wide rows")
        for name, values in (condition.get("profile") or {}).items():
            self._add(name, values)
        if self._properties:
            button("+ a property of the user", lambda: self._add(None, ()), look="plain wide")

    def value(self) -> Values:
        """Raises: ValueError saying what is missing."""
        profile: Values = {}
        for field, values in self._rows.values():
            entered = [read_scalar(line) for line in lines_of(values)]
            if not field.value and not entered:
                continue
            if not field.value or not entered:
                raise ValueError("Say which property of the user, and its values.")
            profile[str(field.value)] = entered
        return {"segments": list(self._segments.value or ()), "entities": self._entities.ids, "profile": profile}

    def _add(self, name: str | None, values: Any) -> None:
        with self._box, ui.element("div").classes("pair") as row:
            field = choice("Whose", self._properties, name)
            shown = [shown_scalar(value) for value in values]
            entered = lines("is one of (one per line)", shown, 'amsterdam; 45 is a number, "45" text')
            key = row.id
            self._rows[key] = field, entered

            def drop() -> None:
                del self._rows[key]
                row.delete()

            button("×", drop, look="chip", label="Remove the property")


class Where:
    """On which lists: where they are shown, what was searched for, and what is being looked at."""

    def __init__(self, api: Api, condition: Mapping[str, Any]) -> None:
        self._placements = lines("Only at placements (one per line)", condition.get("placements") or (), "home")
        self._queries = lines("Only for searches with (one per line)", condition.get("queries") or (), "space opera")
        self._items = Picked(api, {"item": "Looking at an item"}, condition.get("context_items") or ())
        self._entities = Picked(api, {"entity": "Looking at an item with"}, condition.get("context_entities") or ())

    def value(self) -> Values:
        return {
            "placements": lines_of(self._placements),
            "queries": lines_of(self._queries),
            "context_items": self._items.ids,
            "context_entities": self._entities.ids,
        }


class Hours:
    """Hours of a place: `times` of the condition."""

    def __init__(self, times: Mapping[str, Any]) -> None:
        self._stored: Values = dict(times)
        html(f'<p class="quiet">{LOCAL}</p>').classes("wide")
        self._zone = choice("Time zone", _zones(), times.get("zone"), has_search=True)
        self._days = choices("On", DAYS, times.get("weekdays") or ())
        self._edges = {"from": Moment("From, local time", times.get("from"))}
        self._edges["until"] = Moment("Until, local time, not included", times.get("until"))
        start, end = times.get("hours") or (None, None)
        self._hours = [Moment("Each day from", start, kind="time"), Moment("to before", end, kind="time")]

    def value(self) -> Values | None:
        """Raises: ValueError saying what is missing."""
        hours = [one.value() for one in self._hours]
        if (hours[0] is None) != (hours[1] is None):
            raise ValueError("Say from when to when each day.")
        parts: Values = {name: one.value() for name, one in self._edges.items()}
        parts |= {"weekdays": list(self._days.value or ()), "hours": hours if hours[0] else None}
        given = {name: value for name, value in parts.items() if value}
        if not self._zone.value:
            if given:
                raise ValueError("Say in which time zone, such as Europe/Amsterdam.")
            return None
        known = {name: value for name, value in self._stored.items() if name not in (*parts, "zone")}
        return {**known, "zone": str(self._zone.value), **given}


class Validity:
    """When the rule is there at all, in UTC."""

    def __init__(self, validity: Mapping[str, Any]) -> None:
        self._edges = {"from": Moment("Valid from (UTC)", validity.get("from"), suffix=":00Z")}
        self._edges["until"] = Moment("Valid until, not included (UTC)", validity.get("until"), suffix=":00Z")

    def value(self) -> Values:
        return {name: value for name, one in self._edges.items() if (value := one.value())}


@cache
def _zones() -> Mapping[str, str]:
    return {zone: zone for zone in sorted(available_timezones()) if "/" in zone or zone == "UTC"}
