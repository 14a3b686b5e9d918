"""One item for somebody: why it is in the list, drawn and split; or why it is not, and what would bring it in."""

from collections.abc import Awaitable, Callable, Sequence
from html import escape
from typing import TypeVar
from urllib.parse import quote

from nicegui import ui

from console.client import Api, ApiProblem
from console.drawing import path_graph, reason_list, score_bars
from console.parts import busy, button, card, facts, failed, headed, html
from console.whom import Whom
from domain.answers import Explanation, Part, RankedItem, Reason
from domain.why_not import Helper, StatedHelper, WhyNot

GRAPH_NOTE = "A full line is in Neo4j, a dashed one was not confirmed. The thicker, the more it carries."
MOST_HELPERS = 8
MOST_REASONS = 6
RULES = {
    "pin": "Pinned to its place",
    "boost": "Moved up",
    "bury": "Moved down",
    "min_share": "Shown for the share of its kind",
}
HELPED = "Each rank is that of a list made anew with the event added."
Helping = Helper | StatedHelper
T = TypeVar("T")
Add = Callable[[str, str], Awaitable[None]]


class Detail:
    """The right side of the page. add: one more taste or item (id, name) of somebody made up."""

    def __init__(self, api: Api, box: ui.element, whom: Whom, add: Add) -> None:
        self._api = api
        self._box = box
        self._whom = whom
        self._add = add
        self._asked = 0

    def clear(self) -> None:
        self._asked += 1
        self._box.clear()

    async def why(self, item: RankedItem) -> None:
        explanation = await self._answer(item.name, self._api.explanation(self._whom.body(), item.item_id))
        if explanation is not None:
            with self._box:
                _show_graph(item, explanation)
                _show_split(explanation)
                _show_reasons(explanation.reasons)

    async def why_not(self, item_id: str) -> None:
        answer = await self._answer(item_id, self._api.why_not(self._whom.body(), item_id))
        if answer is not None:
            with self._box:
                _show_cause(answer)
                self._show_helpers(answer)

    async def _answer(self, name: str, asked: Awaitable[T]) -> T | None:
        """What the API says, with the box emptied for it. None: it failed, which the box says; or it comes too late."""
        self._asked += 1
        mine = self._asked
        with busy(self._box):
            try:
                answer = await asked
            except ApiProblem as problem:
                if mine == self._asked:
                    self._box.clear()
                    with self._box, card(name):
                        failed(problem)
                return None
        if mine != self._asked:
            return None
        self._box.clear()
        return answer

    def _show_helpers(self, answer: WhyNot) -> None:
        if answer.code == "in_list":
            return
        with card("What would bring it in"):
            helpers = _once((*answer.entities, *answer.items, *answer.tastes))[:MOST_HELPERS]
            if not helpers:
                html('<p class="quiet">Nothing that this user does would.</p>')
                return
            html(f'<p class="quiet">{HELPED}</p>')
            with ui.element("div").classes("results walk mt8"):
                for one in helpers:
                    self._show_helper(one)

    def _show_helper(self, one: Helping) -> None:
        """A button where it can be tried: with somebody made up."""
        is_taste = isinstance(one, StatedHelper)
        named_id, name = (one.entity_id, one.entity) if is_taste else (one.item_id, one.name)
        can_try = self._whom.kind == ("taste" if is_taste else "pick")
        what = "states" if is_taste else "takes"
        shared = f"both: {escape(one.entity)}" if isinstance(one, Helper) and one.entity else ""
        mark = ' <span class="chip hot">brings it in</span>' if one.brings_in else ""
        told = (
            f'<span><span class="quiet small">{what}</span> <span class="name">{escape(name)}</span>{mark}'
            f'<br><span class="quiet small">{shared}</span></span>'
            f'<span class="note num">{one.adds:+.2f} · rank {one.rank:,}</span>'
        )
        if not can_try:
            html(told).classes("pick still")
            return
        with button("", lambda: self._add(named_id, name), look="pick", label=f"Try {name}: rank {one.rank}"):
            html(told).style("display: contents")


def _show_graph(item: RankedItem, explanation: Explanation) -> None:
    with card():
        headed(f"Why {item.name}", f"rank {item.rank} · score {item.score:.2f}")
        for rule in explanation.rules:
            link = f'<a href="/rules?id={quote(rule.rule_id, safe="")}">{escape(rule.rule_id)}</a>'
            html(f'<p class="note-bar mt8">{RULES.get(rule.effect, rule.effect)} by the rule {link}.</p>')
        drawn = path_graph(explanation.reasons)
        if drawn:
            html(f'<div class="mt8">{drawn}</div><p class="quiet small mt8">{GRAPH_NOTE}</p>')
        else:
            html('<p class="quiet mt8">No path leads here; see the reasons.</p>')


def _show_reasons(reasons: Sequence[Reason]) -> None:
    with card("Reasons"):
        html(reason_list(reasons, MOST_REASONS) if reasons else '<p class="quiet">None was given.</p>')


def _show_split(explanation: Explanation) -> None:
    with card():
        headed("The score, split", "the parts add up to it exactly")
        html(f'<div class="mt12">{score_bars(explanation.parts, explanation.score)}</div>')
        if explanation.cypher:
            html(
                '<details class="mt12"><summary>Open the first path in Neo4j Browser</summary>'
                f'<pre class="cypher mt8" tabindex="0">{escape(explanation.cypher)}</pre></details>'
            )


def _show_cause(answer: WhyNot) -> None:
    """The first thing that kept the item out, and how far it is from the list."""
    with card(f"Why not {answer.name or answer.item_id}"):
        html(f'<p class="mt8">{escape(answer.text)}</p>')
        html('<div class="mt12"></div>')
        facts(_distance(answer))
    if answer.parts and answer.score is not None:
        with card("The score, split"):
            split = [Part(name=name, value=value, share=0.0) for name, value in answer.parts.items()]
            html(f'<div class="mt12">{score_bars(split, answer.score)}</div>')


def _once(helpers: Sequence[Helping]) -> list[Helping]:
    """Each item once: with the entity, where it comes with one."""
    ids = {getattr(one, "item_id", None) or one.entity_id: one for one in reversed(helpers)}
    return list(ids.values())[::-1]


def _distance(answer: WhyNot) -> dict[str, object]:
    return {
        "Place by score": f"{answer.rank:,} of {answer.of:,}" if answer.rank else None,
        "Its score": None if answer.score is None else f"{answer.score:.2f}",
        f"The last of {answer.n} shown": None if answer.nth_score is None else f"{answer.nth_score:.2f}",
        "It lacks": f"{answer.gap:.2f}" if answer.gap is not None and answer.gap > 0 else None,
        "Rule": answer.rule_id,
        "Hidden until": (answer.until or "")[:10] or None,
    }
