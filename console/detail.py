"""One item for one person: why it is in the list, drawn and split; or why it is not, and what would bring it in."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from nicegui import ui

from console.client import Api, ApiProblem
from console.drawing import path_graph, reason_list, score_bars
from console.parts import card, facts, failed, headed, html, table
from domain.answers import Explanation, Part, RankedItem, Reason

GRAPH_NOTE = "A full line is in Neo4j, a dashed one was not confirmed. The thicker, the more it carries."
MOST_HELPERS = 8
MOST_REASONS = 6
MADE_UP = "Somebody made up has no stored events: the reasons of the list are all there is to show."


class Detail:
    """The right side of the page."""

    def __init__(self, api: Api, box: ui.element) -> None:
        self._api = api
        self._box = box

    def clear(self) -> None:
        self._box.clear()

    async def why(self, item: RankedItem, user_id: str | None) -> None:
        """user_id None: somebody made up, who has no explanation but that of the list."""
        explanation = None
        if user_id is not None:
            try:
                explanation = await self._api.explanation(user_id, item.item_id)
            except ApiProblem as problem:
                self._fail(item.name, problem)
                return
        reasons = item.reasons if explanation is None else explanation.reasons
        self._box.clear()
        with self._box:
            _show_graph(item, reasons)
            if explanation is not None:
                _show_split(explanation)
            _show_reasons(reasons)
            if explanation is None:
                with card():
                    html(f'<p class="quiet">{MADE_UP}</p>')

    async def why_not(self, user_id: str, item_id: str) -> None:
        try:
            answer = await self._api.why_not(user_id, item_id)
        except ApiProblem as problem:
            self._fail(item_id, problem)
            return
        self._box.clear()
        with self._box:
            show_why_not(answer)

    def _fail(self, name: str, problem: ApiProblem) -> None:
        self._box.clear()
        with self._box, card(name):
            failed(problem)


def _show_graph(item: RankedItem, reasons: Sequence[Reason]) -> None:
    with card():
        headed(f"Why {item.name}", f"rank {item.rank} · score {item.score:.2f}")
        drawn = path_graph(reasons)
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


def show_why_not(answer: Mapping[str, Any]) -> None:
    """The first thing that kept the item out, how far it is from the list, and what would bring it in."""
    with card(f"Why not {answer.get('name') or answer['item_id']}"):
        html(f'<p class="mt8">{escape(str(answer["text"]))}</p>')
        html('<div class="mt12"></div>')
        facts(_distance(answer))
    parts: Mapping[str, float] = answer.get("parts") or {}
    if parts and answer.get("score") is not None:
        with card("The score, split"):
            split = [Part(name=name, value=value, share=0.0) for name, value in parts.items()]
            html(f'<div class="mt12">{score_bars(split, float(answer["score"]))}</div>')
    helpers: Sequence[Mapping[str, Any]] = [
        *answer.get("entities", ()),
        *answer.get("items", ()),
        *answer.get("tastes", ()),
    ]
    with card("What would bring it in"):
        if not helpers:
            html('<p class="quiet">Nothing that this user does would.</p>')
            return
        html('<p class="quiet">Computed with the event added to the user\'s own: the rank is what it would be.</p>')
        head = ("If the user took", "What both have", "Adds", "Rank then")
        table(head, [_helper(one) for one in _once(helpers)[:MOST_HELPERS]], numbers=(2, 3))


def _once(helpers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each item once: with the entity, where it comes with one."""
    return list({str(one.get("item_id") or one.get("entity_id")): one for one in reversed(helpers)}.values())[::-1]


def _helper(one: Mapping[str, Any]) -> tuple[str, ...]:
    name, shared = one.get("name") or one.get("entity") or "", one.get("entity") or ""
    mark = ' <span class="chip hot">brings it in</span>' if one.get("brings_in") else ""
    return escape(str(name)) + mark, escape(str(shared)), f"{one['adds']:+.2f}", f"{one['rank']:,}"


def _distance(answer: Mapping[str, Any]) -> dict[str, object]:
    rank, score, gap, least = (answer.get(name) for name in ("rank", "score", "gap", "nth_score"))
    return {
        "Place by score": f"{rank:,} of {answer.get('of', 0):,}" if rank else None,
        "Its score": None if score is None else f"{score:.2f}",
        f"The last of {answer.get('n', 10)} shown": None if least is None else f"{least:.2f}",
        "It lacks": f"{gap:.2f}" if gap is not None and gap > 0 else None,
        "Rule": answer.get("rule_id"),
        "Hidden until": (answer.get("until") or "")[:10] or None,
    }
