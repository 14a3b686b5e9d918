"""The form of one rule: all that the API takes, in four groups."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

from nicegui import ui

from console.client import Api
from console.fields import PLAIN, text
from console.parts import html
from console.rule_then import Then
from console.rule_when import Hours, Validity, Where, Who
from domain.declared import DeclaredTypes

Values = dict[str, Any]


class RuleForm:
    """rule_id: of the stored rule; None: a new one, which is named here. What the form does not know is kept."""

    def __init__(self, api: Api, types: DeclaredTypes, rule_id: str | None, rule: Mapping[str, Any]) -> None:
        self._rule = rule
        condition: Mapping[str, Any] = rule.get("condition") or {}
        with _group(None):
            self._id = text("Name of the rule", rule_id, "front-page-comedies")
            if rule_id is not None:
                self._id.props("readonly")
            self._then = Then(api, types, rule.get("consequence") or {})
        with _group("For whom", is_open=any(condition.get(name) for name in ("segments", "entities", "profile"))):
            self._who = Who(api, types, condition)
        where = ("placements", "queries", "context_items", "context_entities")
        with _group("On which lists", is_open=any(condition.get(name) for name in where)):
            self._where = Where(api, condition)
        with _group("When", is_open=bool(condition.get("times") or rule.get("validity"))):
            self._validity = Validity(rule.get("validity") or {})
            self._hours = Hours(condition.get("times") or {})
        with _group(None):
            self._description = text("What it is for", rule.get("description"), "shown in the list of rules")
            self._author = text("Who thought of it", rule.get("author"))
            self._priority = ui.number(label="Priority (higher goes first)", value=int(rule.get("priority") or 0))
            self._priority.props(PLAIN)
            self._enabled = ui.checkbox("Switched on", value=bool(rule.get("enabled", True)))
        self._fault = html("").classes("wide")

    @property
    def rule_id(self) -> str:
        return str(self._id.value or "").strip()

    def rule(self, *, needs_id: bool = False) -> Values | None:
        """The rule as PUT takes it; None when something is missing, which the form then says."""
        try:
            if needs_id and not self.rule_id:
                raise ValueError("Give the rule a name.")
            rule = self._read()
        except ValueError as error:
            self._fault.set_content(f'<p class="problem" role="alert">{escape(str(error))}</p>')
            return None
        self._fault.set_content("")
        return rule

    def _read(self) -> Values:
        """Raises: ValueError saying what is missing."""
        times = self._hours.value()
        asked = {**self._who.value(), **self._where.value(), **({"times": times} if times else {})}
        known = {name: one for name, one in (self._rule.get("condition") or {}).items() if name not in _CONDITIONS}
        rule: Values = {
            **self._rule,
            "consequence": self._then.value(),
            "condition": known | {name: value for name, value in asked.items() if value},
            "validity": self._validity.value(),
            "description": str(self._description.value or ""),
            "author": str(self._author.value or "").strip() or None,
            "priority": int(self._priority.value or 0),
            "enabled": bool(self._enabled.value),
        }
        return {name: value for name, value in rule.items() if value is not None}


_CONDITIONS = {
    "segments",
    "entities",
    "profile",
    "placements",
    "queries",
    "context_items",
    "context_entities",
    "times",
}


@contextmanager
def _group(title: str | None, *, is_open: bool = False) -> Generator[None]:
    """Fields in two columns; with a title, behind it unless one of them is filled in."""
    if title is None:
        with ui.element("div").classes("form mt12"):
            yield
        return
    with ui.element("details").classes("group mt12").props("open" if is_open else "") as made:
        with ui.element("summary"):
            html(escape(title)).style("display: inline")
        with ui.element("div").classes("form mt8"):
            yield
    _ = made
