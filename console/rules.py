"""Merchandising rules: the list of them, an editor, everybody's list before and after, and what was changed when."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from nicegui import ui

from console.client import Api, ApiProblem
from console.parts import busy, button, card, failed, frame, html, scroll_to, soon, warn
from console.rule_form import RuleForm
from console.rule_trial import Trial, show_preview
from console.rule_words import changes, holds_when, in_words, items_in
from domain.declared import DeclaredTypes
from domain.rule_answers import RuleHistory, RuleOut

MOST_NAMED = 60
HOLDS = "It holds from the next list on."
CHANGED = (
    "It was changed meanwhile",
    "Somebody saved or deleted this rule after you opened it, so nothing of yours was stored. Reloading shows the rule "
    "as it is now, and drops what you entered.",
    "Reload the rule",
)
TAKEN = (
    "There is a rule of this name already",
    "Nothing was stored. Choose another name, or open that rule, which drops what you entered.",
    "Open that rule",
)
PART_OF_HISTORY = "Neo4j does not answer: these are the changes that the log has kept."


class Rules:
    """rule_id: the one to open; None: a new one."""

    def __init__(self, api: Api, rule_id: str | None) -> None:
        self._api = api
        self._open_id = rule_id
        self._rules: Sequence[RuleOut] = ()
        self._types: DeclaredTypes | None = None
        self._names: dict[str, str] = {}

    def build(self) -> None:
        with frame(self._api, "/rules", "Rules"), ui.element("div").classes("page two"):
            with ui.element("div").classes("stack"), card():
                with ui.element("div").classes("row-between"):
                    html("<h2>Rules</h2>")
                    button("New rule", lambda: self._edit(None), look="plain")
                with ui.element("div").classes("to-search mt8"):
                    self._sought = ui.input(label="Find a rule", on_change=self._show_list)
                    self._sought.props("outlined dense clearable autocomplete=off").style("width: 100%")
                self._list = ui.element("div").classes("results walk mt8")
            with ui.element("div").classes("stack"):
                self._editor = ui.element("div").classes("stack")
                self._below = ui.element("div").classes("stack").props("aria-live=polite")
        soon(self._load)

    async def _load(self) -> None:
        try:
            self._types = self._types or await self._api.types()
            self._rules = await self._api.rules()
        except ApiProblem as problem:
            self._list.clear()
            with self._list:
                failed(problem)
            return
        self._show_list()
        await self._edit(self._open_id)
        await self._name_items()

    async def _name_items(self) -> None:
        """So that the list of rules says "Pulp Fiction" and not "item 56"."""
        wanted = dict.fromkeys(one for rule in self._rules for one in items_in(rule.rule) if one not in self._names)
        for item_id in [*wanted][:MOST_NAMED]:
            try:
                self._names[item_id] = await self._api.name_of(item_id, "item")
            except ApiProblem:
                return  # ids are names enough
        self._show_list()

    def _show_list(self) -> None:
        words = str(self._sought.value or "").lower().split()
        found = [
            one
            for one in self._rules
            if all(word in f"{one.rule_id} {in_words(one.rule, self._names)}".lower() for word in words)
        ]
        self._list.clear()
        with self._list:
            if not self._rules:
                html('<p class="quiet" style="padding: 4px 8px">No rule yet: lists are what the model says.</p>')
            elif not found:
                html('<p class="quiet" style="padding: 4px 8px">No rule is called that.</p>')
            for one in found:
                self._line(one)

    def _line(self, one: RuleOut) -> None:
        state = "" if one.rule.get("enabled", True) else " · off"
        told, holds = in_words(one.rule, self._names), holds_when(one.rule, self._names)
        with ui.element("button").classes("pick").props("type=button") as row:
            html(
                f'<span><span class="name">{escape(one.rule_id)}</span><br>'
                f'<span class="quiet small">{escape(told)}{"<br>" if holds else ""}{escape(holds)}</span>'
                f'</span><span class="note" title="Priority">{one.rule.get("priority", 0)}{state}</span>'
            ).style("display: contents")
        row.props(f"aria-current={str(one.rule_id == self._open_id).lower()}")
        row.on("click", lambda: self._edit(one.rule_id))

    async def _edit(self, rule_id: str | None, said: str = "") -> None:
        """Opens a rule as it is stored now; None: a new one."""
        stored = None
        if rule_id is not None:
            with busy(self._editor):
                try:
                    stored = await self._api.rule(rule_id)
                except ApiProblem as problem:
                    self._below.clear()
                    self._editor.clear()
                    with self._editor, card(f"Rule {rule_id}"):
                        failed(problem)
                    return
        self._open_id = rule_id
        self._show_list()
        self._show_form(stored, {} if stored is None else stored.rule)
        with self._said:
            warn(([said] if said else []) + list(stored.warnings if stored else ()))

    def _show_form(self, stored: RuleOut | None, rule: Mapping[str, Any]) -> None:
        """rule: what the form is filled with; another version than the stored one when that is to be brought back."""
        with self._editor:  # what was clicked may be gone from the page by now
            address = f"/rules?id={quote(stored.rule_id, safe='')}" if stored else "/rules"
            ui.navigate.history.replace(address)
        self._below.clear()
        self._editor.clear()
        if self._types is None:
            return
        with self._editor, card("New rule" if stored is None else f"Rule {stored.rule_id}"):
            if stored is not None:
                when = stored.updated_at[:16].replace("T", " ")
                html(f'<p class="quiet small num">changed by {escape(stored.updated_by)} on {when} UTC</p>')
            form = RuleForm(self._api, self._types, stored.rule_id if stored else None, rule)
            trial = Trial(self._api)
            with ui.element("div").classes("row-between mt16 actions"):
                with ui.element("div").style("display: flex; gap: 8px"):
                    button("Preview", lambda: self._try(form, trial))
                    button("Save rule", lambda: self._save(form, stored), look="btn main")
                if stored is not None:
                    with ui.element("div").style("display: flex; gap: 16px"):
                        button("History", lambda: self._show_history(stored), look="plain")
                        button("Delete", lambda: self._delete(stored), look="plain")
            self._said = ui.element("div").classes("mt12").props("role=status")

    async def _try(self, form: RuleForm, trial: Trial) -> None:
        draft = form.rule()
        if draft is None:
            return
        self._said.clear()
        with busy(self._below):
            try:
                preview, asked = await trial.preview(draft, form.rule_id)
            except ApiProblem as problem:
                self._fail(problem)
                return
        self._below.clear()
        with self._below:
            show_preview(preview, asked)
            scroll_to(self._below)

    async def _save(self, form: RuleForm, before: RuleOut | None) -> None:
        draft = form.rule(needs_id=True)
        if draft is None:
            return
        try:
            stored = await self._api.put_rule(form.rule_id, draft, before.version if before else 0)
            self._rules = await self._api.rules()
        except ApiProblem as problem:
            self._fail(problem, form.rule_id, is_new=before is None)
            return
        await self._name_items()
        same = before is not None and stored.version == before.version
        await self._edit(
            stored.rule_id, "Nothing was changed." if same else f"Saved as version {stored.version}. {HOLDS}"
        )

    async def _delete(self, before: RuleOut) -> None:
        try:
            await self._api.delete_rule(before.rule_id, before.version)
        except ApiProblem as problem:
            self._fail(problem, before.rule_id)
            return
        self._open_id = None
        await self._load()

    async def _show_history(self, stored: RuleOut) -> None:
        with busy(self._below):
            try:
                history = await self._api.rule_history(stored.rule_id)
            except ApiProblem as problem:
                self._fail(problem)
                return
        self._below.clear()
        with self._below:
            _show_versions(history, lambda rule: self._bring_back(stored, rule))
            scroll_to(self._below)

    def _bring_back(self, stored: RuleOut, rule: Mapping[str, Any]) -> None:
        self._show_form(stored, rule)
        with self._said:
            warn(["This is how the rule was then. Save it to have it so again."])

    def _fail(self, problem: ApiProblem, rule_id: str | None = None, *, is_new: bool = False) -> None:
        """rule_id: the rule that is to be opened, where another one is stored by now. is_new: it was to be made."""
        self._said.clear()
        with self._said:
            if problem.status != 412 or rule_id is None:
                failed(problem)
                return
            title, detail, offer = TAKEN if is_new else CHANGED
            failed(ApiProblem(problem.code, title, detail, problem.status))
            button(offer, lambda: self._reload(rule_id), look="btn mt8")

    async def _reload(self, rule_id: str) -> None:
        self._open_id = rule_id
        await self._load()


def _show_versions(history: RuleHistory, bring_back: Callable[[Mapping[str, Any]], None]) -> None:
    with card("History"):
        if not history.complete:
            html(f'<p class="note-bar mt8">{PART_OF_HISTORY}</p>')
        older = [*(one.rule for one in history.versions[1:]), None]
        for place, (one, before) in enumerate(zip(history.versions, older, strict=True)):
            when, state = one.at[:16].replace("T", " "), " · not in Neo4j yet" if one.state == "pending" else ""
            told = "".join(f"<li>{escape(change)}</li>" for change in changes(before, one.rule)) or "<li>nothing</li>"
            with ui.element("div").classes("version"):
                html(
                    f'<p><b class="num">{when}</b> <span class="quiet">{escape(one.by)} · version {one.version}{state}'
                    f"</span></p><ul>{told}</ul>"
                )
                if place and one.rule is not None:
                    rule = one.rule
                    button("Bring back", lambda rule=rule: bring_back(rule), look="plain", label=f"Bring back {when}")
