"""The ledger: an answer as it was given, every candidate of it, and what rules and limits did to the order."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, cast

from nicegui import ui

from console.client import Api, ApiProblem
from console.parts import button, card, empty, facts, failed, frame, headed, html, soon, table

NEWEST = 40
MOST_CANDIDATES = 60
Entry = Mapping[str, Any]


class Answers:
    """answer_id: the one to show."""

    def __init__(self, api: Api, answer_id: str | None) -> None:
        self._api = api
        self._answer_id = answer_id

    def build(self) -> None:
        with frame(self._api, "/answers", "Answers"), ui.element("div").classes("page two"):
            with ui.element("div").classes("stack"):
                with card("Answers"):
                    html('<p class="quiet">Every list can be looked up again by its id, with how it came about.</p>')
                    with ui.element("div").classes("field mt12 to-search"):
                        self._field = ui.input(label="Id of an answer", value=self._answer_id or "")
                        self._field.props("outlined dense").style("width: 100%").on("keydown.enter", self._open_typed)
                    button("Open", self._open_typed, look="btn mt8")
                with card("Newest"):
                    self._newest = ui.element("div").classes("results walk").style("max-height: 420px; overflow: auto")
            self._shown = ui.element("div").classes("stack")
        soon(self._load)

    async def _load(self) -> None:
        await self._show_newest()
        if self._answer_id:
            await self._open(self._answer_id)
        else:
            self._shown.clear()
            with self._shown, card():
                empty("Which answer?", "Choose one of the newest, or paste a `recommendation_id`.")

    async def _show_newest(self) -> None:
        self._newest.clear()
        try:
            answers = await self._api.answers(NEWEST)
        except ApiProblem as problem:
            with self._newest:
                failed(problem)
            return
        with self._newest:
            if not answers:
                html('<p class="quiet" style="padding: 4px 8px">None is kept yet.</p>')
            for one in answers:
                self._line(one)

    def _line(self, one: Entry) -> None:
        who = one.get("user_id") or "a visitor"
        with ui.element("button").classes("pick").props("type=button") as row:
            html(
                f'<span class="name">{escape(str(who))}</span><span class="note num">{escape(_time(one))} · '
                f"{len(one.get('item_ids', ()))} items</span>"
            ).style("display: contents")
        row.on("click", lambda: self._open(str(one["recommendation_id"])))

    async def _open_typed(self) -> None:
        if typed := (self._field.value or "").strip():
            await self._open(typed)

    async def _open(self, answer_id: str) -> None:
        self._field.value = answer_id
        ui.navigate.history.replace(f"/answers?id={answer_id}")
        self._shown.clear()
        try:
            entry = await self._api.answer(answer_id)
        except ApiProblem as problem:
            with self._shown, card():
                failed(problem)
            return
        with self._shown:
            _show_entry(entry)


def _show_entry(entry: Entry) -> None:
    who = entry.get("user_id")
    with card():
        headed(f"What {who} got" if who else "What a visitor got", escape(str(entry["recommendation_id"])))
        graph = cast(Entry, entry.get("graph") or {})
        told = {
            "When": _time(entry),
            "Made by": f"{str(entry['strategy']).replace('_', ' ')}{', a fallback' if entry.get('fallback') else ''}",
            "Model": entry.get("model_version") or "none",
            "Graph": f"log offset {graph.get('log_offset', '?')}",
            "Rules that held": ", ".join(entry.get("rules") or ()) or "none",
            "Took": f"{entry['took_ms']:.1f} ms",
        }
        facts(told)
        for warning in (*(entry.get("warnings") or ()), *(entry.get("notes") or ())):
            html(f'<p class="note-bar mt8">{escape(str(warning))}</p>')
    with card("Candidates"):
        candidates = cast(Sequence[Entry], entry.get("candidates") or ())
        html(f'<p class="quiet">{len(candidates)} were considered; by model score, and what became of each.</p>')
        ordered = sorted(candidates, key=lambda one: (one.get("rank") or 10**6, one.get("model_rank") or 10**6))
        _candidates(ordered[:MOST_CANDIDATES])


def _candidates(candidates: Sequence[Entry]) -> None:
    head = ("Shown", "Item", "Model rank", "Moved", "Model", "Score", "What became of it")
    rows = [
        (
            str(one.get("rank") or "–"),
            escape(str(one.get("name") or one["item_id"])),
            str(one.get("model_rank") or "–"),
            _moved(one),
            f"{one['model_score']:.2f}",
            f"{one['score']:.2f}",
            escape(_fate(one)),
        )
        for one in candidates
    ]
    with ui.element("div").style("overflow-x: auto"):
        table(head, rows, numbers=(0, 2, 3, 4, 5), look="tab spaced mt8")


def _moved(one: Entry) -> str:
    moved = one.get("moved") or 0
    if not moved:
        return ""
    return f'<span class="up">▲ {moved}</span>' if moved > 0 else f'<span class="down">▼ {-moved}</span>'


def _fate(one: Entry) -> str:
    removed = cast(Entry | None, one.get("removed"))
    if removed:
        by = removed.get("rule_id") or removed.get("detail")
        return f"kept out: {str(removed['code']).replace('_', ' ')}{f' ({by})' if by else ''}"
    effects = [f"{effect['effect']} by {effect['rule_id']}" for effect in one.get("rules") or ()]
    return "; ".join(effects) or ("shown" if one.get("rank") else "better ones filled the list")


def _time(one: Entry) -> str:
    return str(one.get("at", ""))[:19].replace("T", " ")
