"""Fields of forms: text, lines, times, choices, and things that are found by name and shown as chips."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from nicegui import ui

from console.client import Api, ApiProblem
from console.parts import Search, button, soon
from domain.answers import Found

PLAIN = "outlined dense autocomplete=off"
Scalar = str | int | float | bool


def text(label: str, value: object, hint: str = "") -> ui.input:
    return ui.input(label=label, value=str(value or ""), placeholder=hint).props(PLAIN)


def lines(label: str, values: Sequence[str], hint: str) -> ui.textarea:
    """One entry per line."""
    return ui.textarea(label=label, value="\n".join(values), placeholder=hint).props(f"{PLAIN} autogrow rows=1")


def lines_of(field: ui.textarea) -> list[str]:
    return [line.strip() for line in str(field.value or "").splitlines() if line.strip()]


def number(label: str, value: float | None, *, step: float, least: float) -> ui.number:
    return ui.number(label=label, value=value, step=step, min=least).props(PLAIN)


def choice(label: str, options: Mapping[str, str], value: str | None, *, has_search: bool = False) -> ui.select:
    """One of the options, or none. A value that is no option stays one."""
    known = dict(options) if value is None or value in options else {**options, value: value}
    made = ui.select(known, value=value, label=label, clearable=True, with_input=has_search)
    return made.props("outlined dense options-dense")


def choices(label: str, options: Mapping[str, str], values: Sequence[str]) -> ui.select:
    known = {**options, **{one: one for one in values if one not in options}}
    made = ui.select(known, value=list(values), label=label, multiple=True)
    return made.props("outlined dense options-dense use-chips")


class Moment:
    """A date and a time of day. What was stored stays as it is while what is shown of it is not changed."""

    def __init__(self, label: str, stored: str | None, *, suffix: str = "", kind: str = "datetime-local") -> None:
        self._stored, self._suffix = stored, suffix
        self._shown = (stored or "")[: 5 if kind == "time" else 16]
        self.field = ui.input(label=label, value=self._shown).props(f"{PLAIN} type={kind} stack-label")

    def value(self) -> str | None:
        """As stored, or as entered with the suffix; None: empty."""
        entered = str(self.field.value or "")
        if entered == self._shown:
            return self._stored
        return entered + self._suffix if entered else None


class Picked:
    """A search field, and what was found with it as chips. one: a new one takes the place of the old."""

    def __init__(
        self,
        api: Api,
        kinds: Mapping[str, str],
        ids: Sequence[str],
        hint: str = "a name",
        *,
        one: bool = False,
        picked: Callable[[Found], Awaitable[None]] | None = None,
    ) -> None:
        """kinds: what is searched, item, entity or user -> the label of its field."""
        self._api, self._kinds, self._one, self._picked = api, list(kinds), one, picked
        self.ids = list(ids)
        self._names: dict[str, str] = {}
        with ui.element("div").classes("pairs" if len(kinds) > 1 else "picked"):
            for kind, label in kinds.items():
                Search(api, kind, label, hint, self._pick)
            self._chips = ui.element("div").classes("chips wide")
        self._show()
        if self.ids and self._kinds != ["user"]:
            soon(self._name)

    async def _name(self) -> None:
        try:
            for one in self.ids:
                for kind in self._kinds:
                    if self._names.get(one, one) == one:
                        self._names[one] = await self._api.name_of(one, kind)
        except ApiProblem:
            return  # ids are names enough
        self._show()

    def _show(self) -> None:
        self._chips.clear()
        with self._chips:
            for one in self.ids:
                name = self._names.get(one, one)
                button(f"{name} ×", lambda one=one: self._drop(one), look="chip hot", label=f"Remove {name}")

    def _drop(self, one: str) -> None:
        self.ids.remove(one)
        self._show()

    async def _pick(self, found: Found) -> None:
        self._names[found.id] = found.name
        self.ids = [found.id] if self._one else list(dict.fromkeys([*self.ids, found.id]))
        self._show()
        if self._picked is not None:
            await self._picked(found)


def shown_scalar(value: Scalar) -> str:
    """A value of a profile as a form shows it: text as it is, in quotes where it would read as something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    return json.dumps(value, ensure_ascii=False) if read_scalar(value) != value else value


def read_scalar(entered: str) -> Scalar:
    """45 is a number, true a truth; "45" in quotes and whatever else is text."""
    try:
        value: Any = json.loads(entered)
    except json.JSONDecodeError:
        return entered
    return value if isinstance(value, (str, int, float)) else entered
