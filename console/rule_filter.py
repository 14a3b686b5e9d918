"""A filter on the fields of items: comparisons that all have to hold, or JSON where it is more than that."""

import json
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from typing import Any, cast

from nicegui import ui

from console.fields import PLAIN, choice, lines, lines_of, read_scalar, shown_scalar
from console.parts import button, html
from domain.declared import DeclaredTypes

Values = dict[str, Any]
ABSENT = "absent"  # of the form only: exists, with the value false
OPS = {
    "eq": "is",
    "ne": "is not",
    "in": "is one of",
    "lt": "is below",
    "le": "is at most",
    "gt": "is above",
    "ge": "is at least",
    "exists": "is known",
    ABSENT: "is not known",
}
EXAMPLE = '{"field": "item_kind", "op": "eq", "value": "movie"}'


class FilterForm:
    """stored: as a rule has it, which a form that nobody touches gives back as it is; None: no filter."""

    def __init__(self, types: DeclaredTypes, stored: Mapping[str, object] | None) -> None:
        self._fields = {one.name: one.name for one in types.item_fields}
        self._stored = stored
        self._shown = comparisons_of(stored)
        self._rows: dict[int, tuple[ui.select, ui.select, ui.textarea]] = {}
        self._text: ui.textarea | None = None
        self._box = ui.element("div").classes("wide rows")
        self._actions = ui.element("div").classes("wide")
        if self._shown is None:
            self._show_text(json.dumps(stored, ensure_ascii=False))
            return
        for one in self._shown:
            self._add(one)
        with self._actions:
            button("+ a field of the item", lambda: self._add({}), look="plain")
            html(" · ").classes("quiet").style("display: inline")
            button("a filter in JSON", self._write_text, look="plain")

    def value(self) -> Values | None:
        """Raises: ValueError saying what is missing."""
        if self._text is not None:
            return _read(str(self._text.value or "").strip())
        found = [one for row in self._rows.values() if (one := _comparison(*row)) is not None]
        if json.dumps(found) == json.dumps(self._shown):  # in Python 1 and true would be equal
            return None if self._stored is None else dict(self._stored)
        return _joined(found)

    def _add(self, test: Values) -> None:
        op, value = str(test.get("op", "eq")), test.get("value")
        if op == "exists" and value is False:
            op = ABSENT
        with self._box, ui.element("div").classes("triple") as row:
            field = choice("whose", self._fields, cast("str | None", test.get("field")))
            how = ui.select(OPS, value=op, label="how").props("outlined dense options-dense")
            entries = value if isinstance(value, list) else [] if value is None or op in ("exists", ABSENT) else [value]
            entered = lines("this (several: one per line)", [shown_scalar(one) for one in entries], '1994; "1994" text')
            entered.bind_enabled_from(how, "value", backward=lambda chosen: chosen not in ("exists", ABSENT))
            key = row.id
            self._rows[key] = field, how, entered

            def drop() -> None:
                del self._rows[key]
                row.delete()

            button("×", drop, look="chip", label="Remove the field")

    def _write_text(self) -> None:
        """Goes on in JSON, with the rows that say something so far."""
        found: list[Values] = []
        for row in self._rows.values():
            with suppress(ValueError):
                found += [one] if (one := _comparison(*row)) is not None else []
        so_far = _joined(found)
        self._rows.clear()
        self._box.clear()
        self._actions.clear()
        self._show_text("" if so_far is None else json.dumps(so_far, ensure_ascii=False))

    def _show_text(self, text: str) -> None:
        with self._actions:
            self._text = ui.textarea(
                label="and whose fields are so (a filter in JSON)", value=text, placeholder=EXAMPLE
            )
            self._text.props(f"{PLAIN} autogrow rows=1").classes("mono").style("width: 100%")
            html(f'<p class="quiet small">Items have the fields {escape(", ".join(self._fields))}.</p>')


def comparisons_of(stored: Mapping[str, object] | None) -> list[Values] | None:
    """The comparisons that all have to hold, each in full; None for a filter that is more than that."""
    if stored is None:
        return []
    parts = stored["and"] if set(stored) == {"and"} else [stored]
    if not isinstance(parts, list) or not parts:
        return None
    tests = cast("list[object]", parts)
    return [_in_full(cast(Values, one)) for one in tests] if all(map(_is_comparison, tests)) else None


def _joined(found: list[Values]) -> Values | None:
    return None if not found else found[0] if len(found) == 1 else {"and": found}


def _in_full(test: Values) -> Values:
    value = test.get("value")
    is_exists = test.get("op") == "exists"
    return {"field": test["field"], "op": test.get("op", "eq"), "value": value is not False if is_exists else value}


def _is_comparison(part: object) -> bool:
    if not isinstance(part, Mapping):
        return False
    test = cast(Mapping[str, object], part)
    value = test.get("value")
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    is_shown = bool(values) and all(map(_is_line, values))
    return "field" in test and test.get("op", "eq") in OPS and (is_shown or test.get("op") == "exists")


def _is_line(value: object) -> bool:
    """Whether a line of the form gives the value back as it is: text with spaces around it, say, does not."""
    if not isinstance(value, (str, int, float)):
        return False
    shown = shown_scalar(value)
    return bool(shown) and shown == shown.strip() and len(shown.splitlines()) == 1


def _comparison(field: ui.select, how: ui.select, entered: ui.textarea) -> Values | None:
    """None: nothing was entered. Raises: ValueError."""
    name, op, values = field.value, str(how.value), [read_scalar(line) for line in lines_of(entered)]
    if op in ("exists", ABSENT):
        if not name:
            raise ValueError("Say which field of the item.")
        return {"field": str(name), "op": "exists", "value": op == "exists"}
    if not name and not values:
        return None
    if not name or not values:
        raise ValueError("Say which field of the item, and what it is compared with.")
    if op != "in" and len(values) > 1:
        raise ValueError(f"“{OPS[op]}” compares with one value; choose “{OPS['in']}” for several.")
    return {"field": str(name), "op": op, "value": values if op == "in" else values[0]}


def _read(entered: str) -> Values | None:
    if not entered:
        return None
    try:
        value: object = json.loads(entered)
    except json.JSONDecodeError as error:
        raise ValueError(f"The filter is not JSON: {error.msg} at character {error.pos + 1}.") from error
    if not isinstance(value, dict):
        raise ValueError(f"A filter is an object, such as {EXAMPLE}.")
    return cast(Values, value)
