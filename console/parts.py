"""What every page is made of: the frame with its navigation, cards, search fields, and words for trouble."""

from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from html import escape
from inspect import isawaitable
from pathlib import Path
from typing import Any

from nicegui import ui

from console.client import Api, ApiProblem
from domain.answers import Found

ACCENT = "#a63d40"
ASSETS = Path(__file__).with_name("assets")
PAGES = (("/", "Lists"), ("/rules", "Rules"), ("/answers", "Answers"), ("/catalogue", "Catalogue"))
BALL = (
    '<svg width="26" height="26" viewBox="0 0 26 26" fill="none" stroke="#a63d40" stroke-width="1.7">'
    '<circle cx="12" cy="12" r="9.2"/>'
    '<path d="M4.5 8.6c5-2.4 10.6 0 13.8 5.8M3.2 13.5c5.4-2.7 10.6-.2 12.8 5'
    'M8.5 3.8c5.5.4 10 4 12 9.2M12 21.2c4.2.6 7.6.9 12.5 1.6"/></svg>'
)


@contextmanager
def frame(api: Api, current: str, title: str) -> Generator[None]:
    """A page with its head; the body goes into the block."""
    ui.colors(primary=ACCENT)
    ui.page_title(f"{title} · Clew")
    ui.add_css(ASSETS / "console.css")
    ui.add_head_html(f"<script>{(ASSETS / 'keys.js').read_text()}</script>")
    with ui.element("header").classes("top"):
        html(f'<a class="brand" href="/">{BALL}Clew</a>')
        links = "".join(
            f'<a href="{path}"{" aria-current=page" if path == current else ""}>{name}</a>' for path, name in PAGES
        )
        html(f'<nav aria-label="Pages">{links}</nav>').style("height: 100%")
        status = html("").classes("status").props("role=status")
    with ui.element("main").style("width: 100%"):
        yield
    soon(lambda: _say_status(api, status))


async def _say_status(api: Api, status: ui.html) -> None:
    try:
        ready = await api.ready()
    except ApiProblem as problem:
        status.set_content(f'<span class="dot bad"></span>{escape(problem.title)}')
        return
    model, graph = ready.get("model_version"), ready.get("graph") or {}
    told = [f"model {escape(str(model).partition('T')[0])}" if model else "no model yet"]
    if graph:
        told.append("Neo4j answers" if graph.get("ok") else "Neo4j is away")
    good = model and graph.get("ok")
    status.set_content(f'<span class="dot {"ok" if good else ""}"></span>{" · ".join(told)}')


def html(content: str) -> ui.html:
    """Trusted HTML of ours; what comes from the API goes through `escape` first."""
    return ui.html(content, sanitize=False)


def soon(action: Callable[[], Awaitable[Any]]) -> None:
    """Once the browser has the page, so that it shows something at once."""
    ui.timer(0, action, once=True)


@contextmanager
def card(title: str | None = None) -> Generator[ui.element]:
    with ui.element("section").classes("card") as made:
        if title:
            html(f"<h2>{escape(title)}</h2>")
        yield made


def headed(title: str, aside: str) -> None:
    """A card's title with something quiet at its right. aside: HTML."""
    html(f'<div class="row-between"><h2>{escape(title)}</h2><span class="quiet small num">{aside}</span></div>')


def facts(values: Mapping[str, object]) -> None:
    """Names and values in two columns; those that are None or empty are left out."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in values.items()
        if value not in (None, "")
    )
    html(f'<dl class="facts">{rows}</dl>')


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int], look: str = "tab mt8") -> None:
    """head: text. rows: cells as HTML. numbers: the columns that are set to the right."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="r">{cell}</{tag}>' if place in numbers else f"<{tag}>{cell}</{tag}>"
            for place, cell in enumerate(cells)
        )

    top, body = line("th", list(map(escape, head))), "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    html(f'<table class="{look}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>')


def button(text: str, action: Callable[[], Any], *, look: str = "btn", label: str | None = None) -> ui.element:
    """A real <button>, reached by Tab and pressed by Enter or Space. While it works it looks so, and takes no click."""
    with ui.element("button").classes(look).props("type=button") as made:
        if text:
            html(escape(text)).style("display: contents")
    if label:
        made.props["aria-label"] = label

    async def pressed() -> None:
        if made.props.get("aria-busy"):
            return
        made.props("aria-busy=true")
        try:
            done = action()
            if isawaitable(done):
                await done
        finally:
            made.props(remove="aria-busy")

    return made.on("click", pressed)


def scroll_to(box: ui.element) -> None:
    """Brings what was just put into a box below the others into view."""
    ui.run_javascript(f'getHtmlElement({box.id}).scrollIntoView({{behavior: "smooth", block: "start"}})')


@contextmanager
def busy(box: ui.element) -> Generator[None]:
    """While the block runs, the box looks as if it were about to change."""
    box.classes("busy")
    try:
        yield
    finally:
        box.classes(remove="busy")


def empty(title: str, text: str) -> None:
    html(f'<div class="empty"><h2>{escape(title)}</h2><p>{told(text)}</p></div>')


def failed(problem: ApiProblem) -> None:
    html(f'<div class="problem" role="alert"><h3>{escape(problem.title)}</h3><p>{told(problem.detail)}</p></div>')


def warn(texts: Sequence[str]) -> None:
    """Each in a bar of its own."""
    for text in texts:
        html(f'<p class="note-bar mt8">{escape(text)}</p>')


def told(text: str) -> str:
    """Plain text as HTML, with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


COUNTED = {"user": ("event", "events"), "item": ("person", "people"), "entity": ("item", "items")}


def counted(found: Found) -> str:
    """ "41 events", "143 people", "Genre · 25 items"."""
    one, many = COUNTED[found.kind]
    told_count = f"{found.count:,} {one if found.count == 1 else many}"
    gone = "" if found.available else " · not available"
    return (f"{found.label} · {told_count}" if found.kind == "entity" else told_count) + gone


class Search:
    """A labelled field that shows what fits while one types. Enter takes the first, Tab and arrows reach the others."""

    def __init__(
        self, api: Api, kind: str, label: str, hint: str, pick: Callable[[Found], Any], *, is_main: bool = False
    ) -> None:
        self._api, self._kind, self._pick = api, kind, pick
        self._found: Sequence[Found] = ()
        self._asked = 0
        with ui.element("div").classes("field"):
            with ui.element("div").classes("to-search" if is_main else "searching").style("width: 100%"):
                self._input = ui.input(label=label, placeholder=hint).props("outlined dense clearable autocomplete=off")
                self._input.style("width: 100%")
                if is_main:
                    with self._input.add_slot("append"):
                        html('<span class="kbd" title="Press / to come here">/</span>')
            self._results = ui.element("div").classes("results walk")
        self._input.on_value_change(self._look)
        self._input.on("keydown.enter", self._take_first)

    async def _look(self) -> None:
        self._asked += 1
        mine, query = self._asked, (self._input.value or "").strip()
        if not query:
            self._show(())
            return
        try:
            found = await self._api.search(query, self._kind)
        except ApiProblem as problem:
            with self._cleared():
                failed(problem)
            return
        if mine == self._asked:  # a later letter's answer may come first
            self._show(found, query)

    def _show(self, found: Sequence[Found], query: str = "") -> None:
        self._found = found
        with self._cleared():
            for one in found:
                with ui.element("button").classes("pick").props("type=button") as row:
                    html(
                        f'<span class="name">{escape(one.name)}</span><span class="note">{escape(counted(one))}</span>'
                    ).style("display: contents")
                row.on("click", partial(self._take, one), args=[])
            if query and not found:
                html(f'<p class="quiet" style="padding: 4px 8px">Nothing is called “{escape(query)}”.</p>')

    async def _take_first(self) -> None:
        await self._look()
        if self._found:
            await self._take(self._found[0])

    async def _take(self, found: Found) -> None:
        self._asked += 1
        self._input.value = ""
        self._show(())
        done = self._pick(found)
        if done is not None:
            await done

    def _cleared(self) -> ui.element:
        self._results.clear()
        return self._results
