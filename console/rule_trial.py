"""A rule tried on the lists of some users, before and after; nothing is stored."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from nicegui import ui

from console.client import Api
from console.fields import Moment, Picked, text
from console.parts import card, empty, headed, html, table, warn
from domain.rule_answers import Preview, PreviewItem, PreviewList

Rule = Mapping[str, Any]
LENGTH = 8
SEEN = "Nobody is shown what they have had; and a rule changes nothing where its items are not among the candidates."
UNCHANGED = (
    "No list changes. The rule may not hold here: choose other users, the place where the list is shown, what is "
    "searched for or looked at, or another time. Or what it asks for is so already, as when it is stored like this."
)


class Trial:
    """Whose lists to try a rule on, and how they are asked for; what is left empty is what the rule itself asks for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        with ui.element("details").classes("group mt12"):
            with ui.element("summary"):
                html("Try it on").style("display: inline")
            with ui.element("div").classes("form mt8"):
                self._users = Picked(api, {"user": "Lists of these users"}, [], "empty: some that it holds for")
                self._item = Picked(api, {"item": "Looking at"}, [], one=True)
                self._placement = text("Shown at", "", "empty: the first placement of the rule")
                self._query = text("Searched for", "", "empty: the first search of the rule")
                self._at = Moment("As of (UTC)", None, suffix=":00Z")

    async def preview(self, rule: Rule, rule_id: str) -> tuple[Preview, str]:
        """The lists, and how they were asked for. Raises: ApiProblem."""
        asked: dict[str, Any] = rule.get("condition") or {}
        items = self._item.ids or asked.get("context_items") or await self._item_with(asked.get("context_entities"))
        options = {
            "placement": self._placement.value or next(iter(asked.get("placements") or ()), None),
            "query": self._query.value or next(iter(asked.get("queries") or ()), None),
            "context_item_id": next(iter(items), None),
            "at": self._at.value() or _start(rule),
            "user_ids": self._users.ids or None,
        }
        given = {name: value for name, value in options.items() if value}
        body = {"rule": rule, "n": LENGTH, **({"rule_id": rule_id} if rule_id else {}), **given}
        return await self._api.preview(body), _told(given)

    async def _item_with(self, entity_ids: Sequence[str] | None) -> Sequence[str]:
        return [await self._api.item_of(entity_ids[0])] if entity_ids else []


def _start(rule: Rule) -> str | None:
    """When a rule begins to hold, if that is yet to come."""
    times: Rule = (rule.get("condition") or {}).get("times") or {}
    starts = [datetime.fromisoformat(start) for start in ((rule.get("validity") or {}).get("from"),) if start]
    if times.get("from"):
        starts.append(datetime.fromisoformat(times["from"]).replace(tzinfo=ZoneInfo(times["zone"])))
    start = max(starts, default=None)
    return start.astimezone(UTC).isoformat() if start is not None and start > datetime.now(UTC) else None


def _told(given: Mapping[str, Any]) -> str:
    words = {"placement": "shown at", "query": "searching", "context_item_id": "looking at item", "at": "as of"}
    return " · ".join(f"{word} {given[name]}" for name, word in words.items() if name in given)


def show_preview(preview: Preview, asked: str) -> None:
    """asked: how the lists were asked for."""
    with card():
        headed("Before and after", f"{preview.changed} of {len(preview.lists)} lists change · nothing is stored")
        if asked:
            html(f'<p class="quiet small">{escape(asked)}</p>')
        notes = dict.fromkeys(note for one in preview.lists for note in one.notes)
        warn(list(dict.fromkeys((*preview.warnings, *notes))))
        if not preview.lists:
            empty("Nobody to try it on", "No user has an event yet.")
        elif not preview.changed:
            html(f'<p class="quiet mt8">{UNCHANGED}</p>')
    same = [one for one in preview.lists if _ids(one.before) == _ids(one.after)]
    for one in preview.lists:
        if one not in same:
            with card():
                _show_list(one)
    if same:
        with card(), ui.element("details").props("" if preview.changed else "open"):
            with ui.element("summary"):
                html(f"No change for {', '.join(escape(one.user_id) for one in same)}").style("display: inline")
            html(f'<p class="quiet mt8">{SEEN}</p>')
            for one in same:
                _show_list(one)


def _ids(items: Sequence[PreviewItem]) -> list[str]:
    return [item.item_id for item in items]


def _show_list(one: PreviewList) -> None:
    html(f'<p class="over mt8">User {escape(one.user_id)}</p>')
    with ui.element("div").classes("halves mt8"):
        _column("Before", one.before, "gone")
        _column("After", one.after, "new")


def _column(title: str, items: Sequence[PreviewItem], lone: str) -> None:
    """lone: what an item is called that the other list does not have."""
    rows = [(f"{item.rank}. {escape(item.name)}{_effects(item)}", _moved(item, lone)) for item in items]
    table((title, ""), rows, numbers=(1,), look="tab")


def _effects(item: PreviewItem) -> str:
    return "".join(
        f' <span class="quiet small" title="rule {escape(rule.rule_id)}">{rule.effect.replace("_", " ")}</span>'
        for rule in item.rules
    )


def _moved(item: PreviewItem, lone: str) -> str:
    if item.moved is None:
        return f'<span class="chip hot">{lone}</span>'
    if item.moved == 0 or lone == "gone":
        return ""
    return f'<span class="up">▲ {item.moved}</span>' if item.moved > 0 else f'<span class="down">▼ {-item.moved}</span>'
