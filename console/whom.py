"""For whom a list is: somebody known, or somebody made up from tastes or from what a visitor picked."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nicegui import ui

from console.client import Api
from console.fields import text
from console.parts import Search, button, html
from domain.answers import Found

LENGTH = 10
KINDS = {"user": "A user", "taste": "Tastes", "pick": "A visitor"}
ENTITY, ITEM = "entity", "item"


@dataclass
class Whom:
    """kind: of KINDS. named: of tastes the entities, of a visitor the items, id -> name ("" until it is known).

    placement, query: where the list is shown, and what was searched for; "" for nowhere and nothing in particular.
    """

    kind: str = "user"
    user_id: str | None = None
    named: dict[str, str] = field(default_factory=dict[str, str])
    placement: str = ""
    query: str = ""

    @classmethod
    def of(
        cls, user_id: str | None, tastes: Sequence[str], picks: Sequence[str], placement: str = "", query: str = ""
    ) -> "Whom":
        """As an address has it; of user, tastes and picks the first that is given counts."""
        if user_id is not None or not (tastes or picks):
            return cls("user", user_id, placement=placement, query=query)
        named = dict.fromkeys(tastes or picks, "")
        return cls("taste" if tastes else "pick", None, named, placement, query)

    @property
    def is_nobody(self) -> bool:
        return self.user_id is None and not self.named

    @property
    def title(self) -> str:
        return {"user": f"For {self.user_id}", "taste": "For these tastes", "pick": "For this visitor"}[self.kind]

    @property
    def searched(self) -> str:
        """What is searched to add to `named`."""
        return ITEM if self.kind == "pick" else ENTITY

    def body(self) -> dict[str, Any]:
        """The request for their list."""
        where = {name: value for name, value in self._where.items() if value}
        if self.kind == "user":
            return {"user_id": self.user_id, "n": LENGTH, "strict": True, **where}
        if self.kind == "taste":
            return {"preferences": [{"entity_id": entity_id} for entity_id in self.named], "n": LENGTH, **where}
        return {"session": list(self.named), "n": LENGTH, **where}

    def address(self) -> list[tuple[str, str]]:
        """As `of` reads it."""
        where = [(name, value) for name, value in self._where.items() if value]
        if self.kind == "user":
            return [] if self.user_id is None else [("user", self.user_id), *where]
        return [*((self.kind, named) for named in self.named), *where]

    @property
    def _where(self) -> dict[str, str]:
        return {"placement": self.placement, "query": self.query}


class Chooser:
    """Where one says for whom. changed: called after every choice."""

    def __init__(self, api: Api, whom: Whom, changed: Callable[[], Awaitable[None]]) -> None:
        self._api = api
        self._whom = whom
        self._changed = changed
        self._switch = ui.element("div").classes("segment mt8").props('role=group aria-label="For whom"')
        self._field = ui.element("div").classes("mt12")
        with ui.element("div").classes("pairs mt8"):
            self._where("placement", "Shown at", "home")
            self._where("query", "Searched for", "space opera")
        self._show_kinds()
        self._show_field()

    async def name_all(self) -> None:
        """Asks for the names of what only has an id yet. Raises: ApiProblem."""
        missing = [one for one, name in self._whom.named.items() if not name]
        for one in missing:
            self._whom.named[one] = await self._api.name_of(one, self._whom.searched)
        if missing:
            self._show_chips()

    async def add(self, named_id: str, name: str) -> None:
        """One more taste, or one more item of the visitor."""
        self._whom.user_id = None
        self._whom.named[named_id] = name
        self._show_chips()
        await self._changed()

    def _where(self, name: str, label: str, hint: str) -> None:
        """A field of the request that counts when it is left, or at Enter."""
        field = text(label, getattr(self._whom, name), hint)

        async def entered() -> None:
            value = str(field.value or "").strip()
            if value != getattr(self._whom, name):
                setattr(self._whom, name, value)
                await self._changed()

        field.on("blur", entered).on("keydown.enter", entered)

    def _show_kinds(self) -> None:
        with self._switch:
            self._buttons = {
                kind: button(name, lambda kind=kind: self._switch_to(kind), look="") for kind, name in KINDS.items()
            }
        self._press()

    def _press(self) -> None:
        for kind, one in self._buttons.items():
            one.props(f"aria-pressed={str(kind == self._whom.kind).lower()}")

    async def _switch_to(self, kind: str) -> None:
        if kind == self._whom.kind:
            return
        self._whom.kind, self._whom.user_id = kind, None
        self._whom.named.clear()
        self._press()
        self._show_field()
        await self._changed()

    def _show_field(self) -> None:
        self._field.clear()
        with self._field:
            if self._whom.kind == "user":
                Search(self._api, "user", "User id", "the start of an id", self._choose_user, is_main=True)
            else:
                label, hint = {
                    "taste": ("They like …", "a genre, a maker, an author"),
                    "pick": ("They just picked …", "the name of an item"),
                }[self._whom.kind]
                Search(self._api, self._whom.searched, label, hint, self._choose, is_main=True)
            self._chips = ui.element("div").classes("chips mt8")
        self._show_chips()

    def _show_chips(self) -> None:
        self._chips.clear()
        with self._chips:
            if self._whom.kind != "user" and not self._whom.named:
                what = "taste" if self._whom.kind == "taste" else "item"
                html(f'<p class="quiet">Add one {what} or more; the list follows. Nothing is stored.</p>')
            for one, name in self._whom.named.items():
                button(f"{name or one} ×", lambda one=one: self._drop(one), look="chip", label=f"Remove {name or one}")

    async def _choose_user(self, found: Found) -> None:
        self._whom.user_id = found.id
        await self._changed()

    async def _choose(self, found: Found) -> None:
        await self.add(found.id, found.name)

    async def _drop(self, one: str) -> None:
        del self._whom.named[one]
        self._show_chips()
        await self._changed()
