"""Merchandising rules: the list of them, an editor, and everybody's list before and after."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from nicegui import ui

from console.client import Api, ApiProblem
from console.parts import button, card, empty, failed, frame, headed, html, soon, table
from console.rule_form import RuleForm

Stored = Mapping[str, Any]
VERBS = {
    "pin": "Pin",
    "boost": "Boost",
    "bury": "Bury",
    "hide": "Hide",
    "filter_in": "Show only",
    "filter_out": "Leave out",
    "cap": "At most",
    "min_share": "At least",
}


class Rules:
    """rule_id: the one to open; None: a new one."""

    def __init__(self, api: Api, rule_id: str | None) -> None:
        self._api = api
        self._open_id = rule_id
        self._rules: Sequence[Stored] = ()

    def build(self) -> None:
        with frame(self._api, "/rules", "Rules"), ui.element("div").classes("page two"):
            with ui.element("div").classes("stack"), card():
                with ui.element("div").classes("row-between"):
                    html("<h2>Rules</h2>")
                    button("New rule", lambda: self._edit(None), look="plain")
                self._list = ui.element("div").classes("results walk mt8")
            with ui.element("div").classes("stack"):
                self._editor = ui.element("div").classes("stack")
                self._preview = ui.element("div").classes("stack").props("aria-live=polite")
        soon(self._load)

    async def _load(self) -> None:
        self._list.clear()
        try:
            self._rules = await self._api.rules()
        except ApiProblem as problem:
            with self._list:
                failed(problem)
            return
        with self._list:
            if not self._rules:
                html('<p class="quiet" style="padding: 4px 8px">No rule yet: lists are what the model says.</p>')
            for stored in self._rules:
                self._line(stored)
        self._edit(next((one for one in self._rules if one["rule_id"] == self._open_id), None))

    def _line(self, stored: Stored) -> None:
        rule: Stored = stored["rule"]
        state = "" if rule.get("enabled", True) else " · off"
        with ui.element("button").classes("pick").props("type=button") as row:
            html(
                f'<span><span class="name">{escape(str(stored["rule_id"]))}</span><br>'
                f'<span class="quiet small">{escape(in_words(rule))}</span></span>'
                f'<span class="note">{rule.get("priority", 0)}{state}</span>'
            ).style("display: contents")
        row.on("click", lambda: self._edit(stored))

    def _edit(self, stored: Stored | None) -> None:
        self._open_id = None if stored is None else str(stored["rule_id"])
        self._preview.clear()
        self._editor.clear()
        with self._editor, card("New rule" if stored is None else f"Rule {self._open_id}"):
            form = RuleForm(self._api, self._open_id, {} if stored is None else stored["rule"])
            with ui.element("div").classes("row-between mt16"):
                with ui.element("div").style("display: flex; gap: 8px"):
                    button("Preview", lambda: self._try(form))
                    button("Save rule", lambda: self._save(form), look="btn main")
                if stored is not None:
                    button("Delete", lambda: self._delete(form), look="plain")
            self._said = ui.element("div").classes("mt12").props("role=status")

    async def _try(self, form: RuleForm) -> None:
        draft = form.rule()
        if draft is None:
            return
        self._preview.clear()
        self._said.clear()
        body = {"rule": draft, "n": 8, **({"rule_id": form.rule_id} if form.rule_id else {})}
        try:
            preview = await self._api.preview(body)
        except ApiProblem as problem:
            self._fail(problem)
            return
        with self._preview:
            _show_preview(preview)

    async def _save(self, form: RuleForm) -> None:
        draft = form.rule(needs_id=True)
        if draft is None:
            return
        try:
            stored = await self._api.put_rule(form.rule_id, draft)
        except ApiProblem as problem:
            self._fail(problem)
            return
        self._open_id = form.rule_id
        await self._load()
        with self._said:
            html(f'<p class="note-bar">Saved as version {stored["version"]}. It holds from the next list on.</p>')
            _warn(stored.get("warnings", ()))

    async def _delete(self, form: RuleForm) -> None:
        try:
            await self._api.delete_rule(form.rule_id)
        except ApiProblem as problem:
            self._fail(problem)
            return
        self._open_id = None
        await self._load()

    def _fail(self, problem: ApiProblem) -> None:
        self._said.clear()
        with self._said:
            failed(problem)


def in_words(rule: Stored) -> str:
    """ "Boost 2 × · Comedies on the front page"."""
    then: Stored = rule["consequence"]
    effect = str(then["effect"])
    amount = {
        "pin": f"{then.get('item_id')} at {then.get('position')}",
        "boost": f"{then.get('factor', 1):g} ×",
        "bury": f"{then.get('factor', 1):g} ×",
        "cap": f"{then.get('most')} of a {then.get('entity_type')}",
        "min_share": f"{then.get('share', 0):.0%} of {then.get('entity_id')}",
    }.get(effect, "")
    told = f"{VERBS[effect]} {amount}".strip()
    return f"{told} · {rule['description']}" if rule.get("description") else told


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        html(f'<p class="note-bar mt8">{escape(warning)}</p>')


def _show_preview(preview: Stored) -> None:
    lists: Sequence[Stored] = preview["lists"]
    with card():
        headed("Before and after", f"{preview['changed']} of {len(lists)} lists change · nothing is stored")
        _warn(preview.get("warnings", ()))
        if not lists:
            empty("Nobody to try it on", "No user has an event yet.")
    for one in lists:
        with card():
            html(f'<p class="over">User {escape(str(one["user_id"]))}</p>')
            with ui.element("div").classes("halves mt8"):
                _column("Before", one["before"], "gone")
                _column("After", one["after"], "new")
            _warn(one.get("notes", ()))


def _column(title: str, items: Sequence[Stored], lone: str) -> None:
    """lone: what an item is called that the other list does not have."""
    rows = [(f"{item['rank']}. {escape(str(item['name']))}", _moved(item, lone)) for item in items]
    table((title, ""), rows, numbers=(1,), look="tab")


def _moved(item: Stored, lone: str) -> str:
    moved = item.get("moved")
    if moved is None:
        return f'<span class="chip hot">{lone}</span>'
    if moved == 0 or lone == "gone":
        return ""
    return f'<span class="up">▲ {moved}</span>' if moved > 0 else f'<span class="down">▼ {-moved}</span>'
