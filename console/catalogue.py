"""How healthy the catalogue is: what lists show of it, what they never show, and what joins everything."""

from collections.abc import Sequence
from html import escape

from nicegui import ui

from console.client import Api, ApiProblem
from console.parts import card, empty, failed, frame, html, soon, table
from domain.answers import CatalogueHealth, Found


class Catalogue:
    def __init__(self, api: Api) -> None:
        self._api = api

    def build(self) -> None:
        with frame(self._api, "/catalogue", "Catalogue"), ui.element("div").classes("page one"):
            html("<h1>Catalogue health</h1>")
            self._body = ui.element("div").classes("stack")
            with self._body, card():
                empty("Making lists for 200 users …", "That takes a moment on a large catalogue.")
        soon(self._load)

    async def _load(self) -> None:
        try:
            found = await self._api.catalogue_health()
        except ApiProblem as problem:
            self._body.clear()
            with self._body, card():
                failed(problem)
            return
        self._body.clear()
        with self._body:
            self._show(found)

    def _show(self, found: CatalogueHealth) -> None:
        with card():
            if not found.lists:
                empty("Nobody to make lists for", "No user has an event yet. Load data, or send events, and come back.")
            html(f'<div class="figures">{_figures(found)}</div>')
        with ui.element("div").classes("halves"):
            with card(f"In none of these lists: {found.never:,}"):
                html('<p class="quiet">Available items that nobody in the sample is shown, the most taken first.</p>')
                _table(("Item", "People"), [(one.name, f"{one.count:,}") for one in found.never_items])
            with card("In most lists"):
                html('<p class="quiet">What the sample sees most; a high share here is a short shop window.</p>')
                rows = [(one.name, f"{one.lists:,} · {one.share:.0%}") for one in found.most_shown]
                _table(("Item", "Lists"), rows)
            with card("Hubs"):
                html('<p class="quiet">Entities with the most items: what joins everything explains little.</p>')
                rows = [
                    (f"{hub.name} · {hub.label}", f"{hub.count:,} · {hub.count / max(found.items, 1):.0%}")
                    for hub in found.hubs
                ]
                _table(("Entity", "Items"), rows)
            with card(f"Without any relation: {found.bare:,}"):
                html('<p class="quiet">No path can explain these, and when they are new nothing can place them.</p>')
                _bare(found.bare_items)


def _figures(found: CatalogueHealth) -> str:
    figures = (
        (
            f"{found.coverage:.0%}",
            f"of {found.available:,} available items are in at least one of {found.lists:,} lists of {found.n}",
        ),
        (f"{found.never:,}", "available items are in none of them"),
        (f"{found.popular_shown_share:.0%}", "of all places go to the most taken tenth of the catalogue"),
        (f"{found.popular_taken_share:.0%}", "of what people took is of that tenth"),
    )
    return "".join(
        f'<div class="figure"><b>{value}</b><span class="quiet">{escape(text)}</span></div>' for value, text in figures
    )


def _bare(items: Sequence[Found]) -> None:
    if items:
        _table(("Item", "People"), [(one.name, f"{one.count:,}") for one in items])
    else:
        html('<p class="mt8">Every item has one at least.</p>')


def _table(head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> None:
    """rows: plain text."""
    if not rows:
        html('<p class="mt8">There is none.</p>')
        return
    with ui.element("div").classes("scroll mt8").props("tabindex=0"):
        table(head, [tuple(map(escape, row)) for row in rows], numbers=(1,), look="tab")
