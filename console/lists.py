"""The first page: for whom, what they get, and why. Somebody known, or somebody made up from tastes."""

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from console.client import Api, ApiProblem
from console.detail import Detail
from console.parts import Search, button, card, empty, failed, frame, html, soon
from console.person import show_profile
from domain.answers import Found, RankedItem, RankedList

LENGTH = 10
NO_MODEL = "There is no model yet: until `clew train` has run, everybody gets what is popular."


class Lists:
    """One visitor's page. user_id or tastes (entity id -> name): for whom the list is."""

    def __init__(self, api: Api, user_id: str | None, tastes: Sequence[str], item_id: str | None) -> None:
        self._api = api
        self._user_id = user_id
        self._tastes = dict.fromkeys(tastes, "")
        self._item_id = item_id
        self._rows: dict[str, ui.element] = {}
        self._invents = bool(tastes) and user_id is None

    def build(self) -> None:
        with frame(self._api, "/", "Lists"):
            html('<h1 class="skip">Recommendations and their reasons</h1>')
            with ui.element("div").classes("page three"):
                with ui.element("div").classes("stack"):
                    with card("For whom?"):
                        self._switch = (
                            ui.element("div").classes("segment mt8").props('role=group aria-label="For whom"')
                        )
                        self._chooser = ui.element("div").classes("mt12")
                    self._profile = ui.element("div").classes("stack")
                self._list = ui.element("div").classes("stack")
                self._detail = Detail(self._api, ui.element("div").classes("stack"))
        self._show_chooser()
        self._show_nobody()
        soon(self._load)

    def _show_chooser(self) -> None:
        self._switch.clear()
        with self._switch:
            for name, invents in (("A user", False), ("Made up", True)):
                chosen = button(name, lambda invents=invents: self._switch_to(invents), look="")
                chosen.props(f"aria-pressed={str(invents == self._invents).lower()}")
        self._chooser.clear()
        with self._chooser:
            if self._invents:
                Search(self._api, "entity", "They like …", "a genre, a maker, an author", self._add_taste, is_main=True)
                self._show_tastes()
            else:
                Search(self._api, "user", "User id", "the start of an id", self._choose, is_main=True)

    def _show_tastes(self) -> None:
        if not self._tastes:
            html('<p class="quiet mt8">Add one taste or more; the list follows.</p>')
            return
        with ui.element("div").classes("chips mt8"):
            for entity_id, name in self._tastes.items():
                button(
                    f"{_short(name, entity_id)} ×",
                    lambda entity_id=entity_id: self._drop_taste(entity_id),
                    look="chip",
                    label=f"Remove {_short(name, entity_id)}",
                )

    def _switch_to(self, invents: bool) -> None:
        self._invents = invents
        self._show_chooser()

    async def _choose(self, found: Found) -> None:
        self._user_id, self._item_id = found.id, None
        self._tastes.clear()
        await self._load()

    async def _add_taste(self, found: Found) -> None:
        self._user_id, self._item_id = None, None
        self._tastes[found.id] = found.name
        self._show_chooser()
        await self._load()

    async def _drop_taste(self, entity_id: str) -> None:
        del self._tastes[entity_id]
        self._show_chooser()
        await self._load()

    async def _load(self) -> None:
        """Asks for what the page is about and shows it; without anybody, says what to do."""
        self._keep_address()
        if self._user_id is None and not self._tastes:
            self._show_nobody()
            return
        try:
            answer = await self._api.recommend(self._request())
            await self._show_who()
        except ApiProblem as problem:
            self._show_problem(problem)
            return
        self._show_list(answer)
        chosen = next((item for item in answer.items if item.item_id == self._item_id), None)
        if chosen is not None:
            await self._open(chosen)
        elif self._item_id is not None and self._user_id is not None:
            await self._ask_why_not(self._item_id)
        elif answer.items:
            await self._open(answer.items[0])
        else:
            self._detail.clear()

    def _request(self) -> dict[str, Any]:
        if self._user_id is not None:
            return {"user_id": self._user_id, "n": LENGTH, "strict": True}
        return {"preferences": [{"entity_id": entity_id} for entity_id in self._tastes], "n": LENGTH}

    def _keep_address(self) -> None:
        """So that a reload, a bookmark and a link show the same."""
        pairs = [("user", self._user_id)] if self._user_id else [("taste", taste) for taste in self._tastes]
        pairs += [("item", self._item_id)] if self._item_id else []
        with self._list:  # what was clicked may be gone from the page by now
            ui.navigate.history.replace("/?" + urlencode(pairs) if pairs else "/")

    async def _show_who(self) -> None:
        profile = await self._api.profile(self._user_id) if self._user_id is not None else None
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
                "Type the start of a user's id, or make somebody up from tastes. Press / to start, Enter to take the "
                "first, arrows to walk.",
            )
            with ui.element("div").classes("chips").style("justify-content: center") as tries:
                pass
        if self._user_id is None and not self._tastes:
            with self._list:
                soon(lambda: self._show_tries(tries))

    async def _show_tries(self, tries: ui.element) -> None:
        """The users with most events, for those who know nobody's id."""
        try:
            found = await self._api.search("", "user", 5)
        except ApiProblem as problem:
            self._show_problem(problem)
            return
        with tries:
            if found:
                html('<span class="quiet small" style="align-self: center">busiest users:</span>')
            for one in found:
                button(one.name, lambda one=one: self._choose(one), look="chip")

    def _show_problem(self, problem: ApiProblem) -> None:
        self._profile.clear()
        self._detail.clear()
        self._list.clear()
        with self._list, card():
            if problem.code == "unknown_user":
                empty(
                    f"Nobody is called “{self._user_id}”",
                    "Users appear with their first event, or when a file is loaded. A shop that asks for them now gets "
                    "a popular list.",
                )
            else:
                failed(problem)

    def _show_list(self, answer: RankedList) -> None:
        self._list.clear()
        self._rows.clear()
        with self._list, card():
            who = f"For {self._user_id}" if self._user_id else "For these tastes"
            html(
                f'<div class="row-between"><h2>{escape(who)}</h2><span class="quiet small">'
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
        if self._user_id is not None:
            with self._list, card():
                Search(self._api, "item", "Why is something not here?", "a name", self._choose_missing)

    def _show_item(self, item: RankedItem) -> None:
        reason = escape(item.reasons[0].text) if item.reasons else "No reason was given."
        rules = "".join(f' <span class="chip hot">{escape(rule.effect)}</span>' for rule in item.rules)
        with ui.element("button").classes("item").props("type=button") as row:
            html(
                f'<span class="rank num">{item.rank}</span><span class="title">{escape(item.name)}{rules}</span>'
                f'<span class="score" title="Score">{item.score:.2f}</span><span class="why">{reason}</span>'
            ).style("display: contents")
        row.on("click", lambda: self._open(item))
        self._rows[item.item_id] = row

    async def _open(self, item: RankedItem) -> None:
        self._item_id = item.item_id
        for item_id, row in self._rows.items():
            row.props(f"aria-current={str(item_id == item.item_id).lower()}")
        self._keep_address()
        await self._detail.why(item, self._user_id)

    async def _choose_missing(self, found: Found) -> None:
        await self._ask_why_not(found.id)

    async def _ask_why_not(self, item_id: str) -> None:
        self._item_id = item_id
        for shown_id, row in self._rows.items():
            row.props(f"aria-current={str(shown_id == item_id).lower()}")
        self._keep_address()
        assert self._user_id is not None
        await self._detail.why_not(self._user_id, item_id)


def _short(name: str, entity_id: str) -> str:
    """The name; of an address that only has the id, what follows the type."""
    return name or entity_id.partition(":")[2] or entity_id
