"""The first page: for whom, what they get, why, and why not something else."""

from html import escape
from urllib.parse import urlencode

from nicegui import ui

from console.client import Api, ApiProblem
from console.detail import Detail
from console.parts import Search, busy, button, card, empty, failed, frame, html, soon
from console.person import show_profile
from console.whom import Chooser, Whom
from domain.answers import Found, RankedItem, RankedList

NO_MODEL = "There is no model yet: until `clew train` has run, everybody gets what is popular."


class Lists:
    """One visitor's page. whom: for whom the list is. item_id: the one to explain."""

    def __init__(self, api: Api, whom: Whom, item_id: str | None) -> None:
        self._api = api
        self._whom = whom
        self._item_id = item_id
        self._rows: dict[str, ui.element] = {}
        self._asked = 0

    def build(self) -> None:
        with frame(self._api, "/", "Lists"):
            html('<h1 class="skip">Recommendations and their reasons</h1>')
            with ui.element("div").classes("page three"):
                with ui.element("div").classes("stack"):
                    with card("For whom?"):
                        self._chooser = Chooser(self._api, self._whom, self._changed)
                    self._profile = ui.element("div").classes("stack")
                self._list = ui.element("div").classes("stack").props("aria-live=polite")
                box = ui.element("div").classes("stack")
                self._detail = Detail(self._api, box, self._whom, self._chooser.add)
        self._show_nobody()
        soon(self._load)

    async def _changed(self) -> None:
        self._item_id = None
        await self._load()

    async def _load(self) -> None:
        """Asks for what the page is about and shows it; without anybody, says what to do."""
        self._asked += 1
        mine = self._asked
        self._keep_address()
        if self._whom.is_nobody:
            self._show_nobody()
            with self._list:
                soon(self._show_tries)
            return
        with busy(self._list):
            try:
                await self._chooser.name_all()
                answer = await self._api.recommend(self._whom.body())
                await self._show_who()
            except ApiProblem as problem:
                if mine == self._asked:
                    self._show_problem(problem)
                return
        if mine != self._asked:  # something else was asked meanwhile
            return
        self._show_list(answer)
        chosen = next((item for item in answer.items if item.item_id == self._item_id), None)
        if chosen is not None:
            await self._open(chosen)
        elif self._item_id is not None:
            await self._ask_why_not(self._item_id)
        elif answer.items:
            await self._open(answer.items[0])
        else:
            self._detail.clear()

    def _keep_address(self) -> None:
        """So that a reload, a bookmark and a link show the same."""
        pairs = self._whom.address() + ([("item", self._item_id)] if self._item_id else [])
        with self._list:  # what was clicked may be gone from the page by now
            ui.navigate.history.replace("/?" + urlencode(pairs) if pairs else "/")

    async def _show_who(self) -> None:
        profile = await self._api.profile(self._whom.user_id) if self._whom.user_id is not None else None
        self._profile.clear()
        if profile is not None:
            with self._profile:
                show_profile(profile)

    def _show_nobody(self) -> None:
        self._profile.clear()
        self._detail.clear()
        self._list.clear()
        with self._list, card():
            empty(
                "Whose list would you like to see?",
                "Type the start of a user's id, or make somebody up: from tastes, or from what a visitor picked. Press "
                "/ to start, Enter to take the first, arrows to walk.",
            )
            self._tries = ui.element("div").classes("chips").style("justify-content: center")

    async def _show_tries(self) -> None:
        """The users with most events, for those who know nobody's id."""
        if self._whom.kind != "user":
            return
        try:
            found = await self._api.search("", "user", 5)
        except ApiProblem as problem:
            self._show_problem(problem)
            return
        with self._tries:
            if found:
                html('<span class="quiet small" style="align-self: center">busiest users:</span>')
            for one in found:
                button(one.name, lambda one=one: self._try(one), look="chip")

    async def _try(self, found: Found) -> None:
        self._whom.user_id = found.id
        await self._changed()

    def _show_problem(self, problem: ApiProblem) -> None:
        self._profile.clear()
        self._detail.clear()
        self._list.clear()
        with self._list, card():
            if problem.code == "unknown_user":
                empty(
                    f"Nobody is called “{self._whom.user_id}”",
                    "Users appear with their first event, or when a file is loaded. A shop that asks for them now gets "
                    "a popular list.",
                )
            else:
                failed(problem)

    def _show_list(self, answer: RankedList) -> None:
        self._list.clear()
        self._rows.clear()
        with self._list, card():
            html(
                f'<div class="row-between"><h2>{escape(self._whom.title)}</h2><span class="quiet small">'
                f"{escape(answer.strategy.replace('_', ' '))} · {answer.took_ms:.0f} ms · "
                f'<a href="/answers?id={escape(answer.recommendation_id)}">how it came about</a></span></div>'
            )
            if answer.model_version is None:
                html(f'<p class="note-bar mt8">{NO_MODEL.replace("`clew train`", "<code>clew train</code>")}</p>')
            for note in answer.notes:
                html(f'<p class="note-bar mt8">{escape(note)}</p>')
            if not answer.items:
                empty("Nothing to show", "No item has anything that speaks for it here; fewer is better than junk.")
            with ui.element("div").classes("items walk"):
                for item in answer.items:
                    self._show_item(item)
        with self._list, card():
            Search(self._api, "item", "Why is something not here?", "a name", self._choose_missing)

    def _show_item(self, item: RankedItem) -> None:
        reason = escape(item.reasons[0].text) if item.reasons else "No reason was given."
        rules = "".join(
            f' <span class="chip hot" title="rule {escape(rule.rule_id)}">{rule.effect.replace("_", " ")}</span>'
            for rule in item.rules
        )
        with ui.element("button").classes("item").props("type=button") as row:
            html(
                f'<span class="rank num">{item.rank}</span><span class="title">{escape(item.name)}{rules}</span>'
                f'<span class="score" title="Score">{item.score:.2f}</span><span class="why">{reason}</span>'
            ).style("display: contents")
        row.on("click", lambda: self._open(item))
        self._rows[item.item_id] = row

    async def _open(self, item: RankedItem) -> None:
        self._mark(item.item_id)
        await self._detail.why(item)

    async def _choose_missing(self, found: Found) -> None:
        await self._ask_why_not(found.id)

    async def _ask_why_not(self, item_id: str) -> None:
        self._mark(item_id)
        await self._detail.why_not(item_id)

    def _mark(self, item_id: str) -> None:
        """Shows which item the detail is about."""
        self._item_id = item_id
        for shown_id, row in self._rows.items():
            row.props(f"aria-current={str(shown_id == item_id).lower()}")
        self._keep_address()
