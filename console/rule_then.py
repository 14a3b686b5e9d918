"""What a rule does, and to which items: the fields of its consequence."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from nicegui import ui

from console.client import Api, ApiProblem
from console.fields import Picked, choice, number
from console.parts import html
from console.rule_filter import FilterForm
from domain.answers import Found
from domain.declared import DeclaredTypes
from domain.rules import NEEDS

Values = dict[str, Any]
EFFECTS = {
    "boost": "Boost: move items up",
    "bury": "Bury: move items down",
    "pin": "Pin: one item at a place",
    "hide": "Hide: never show",
    "filter_in": "Show only these",
    "filter_out": "Leave these out",
    "cap": "At most so many of each entity",
    "min_share": "At least a share of an entity",
}
ANY_TARGET = "Which items. Where several things are given, all of them have to be so."
DEFAULTS: Values = {"factor": 2.0, "position": 1, "most": 3, "share": 0.2}


class Then:
    """consequence: as stored; {} for a new rule."""

    def __init__(self, api: Api, types: DeclaredTypes, consequence: Mapping[str, Any]) -> None:
        self._api, self._types = api, types
        self._stored: Values = dict(consequence)
        self._effect = ui.select(
            EFFECTS, value=str(consequence.get("effect", "boost")), label="What it does", on_change=self._show
        ).props("outlined dense options-dense")
        self._target_box = ui.element("div").classes("wide form inset")
        with self._target_box:  # one for all effects that have a target: what was entered stays when the effect changes
            self._target = TargetForm(self._api, self._types, self._stored.get("target") or {})
        self._box = ui.element("div").classes("wide form")
        self._show()

    def value(self) -> Values:
        """Raises: ValueError saying what is missing."""
        effect = str(self._effect.value)
        known = {name: value for name, value in self._stored.items() if name not in _ALL}
        return {**known, "effect": effect, **{name: self._field(name) for name in NEEDS[effect]}}

    def _show(self) -> None:
        needs = NEEDS[str(self._effect.value)]
        self._target_box.set_visibility("target" in needs)
        self._box.clear()
        self._picked: dict[str, Picked] = {}
        self._entered: dict[str, ui.number | ui.select] = {}
        with self._box:
            for name in needs:
                if name != "target":
                    self._show_field(name)

    def _show_field(self, name: str) -> None:
        stored = self._stored.get(name)
        if name in ("item_id", "entity_id"):
            kind, label = ("item", "Which item") if name == "item_id" else ("entity", "Of which entity")
            self._picked[name] = Picked(self._api, {kind: label}, [stored] if stored else [], one=True)
        elif name == "entity_type":
            options = {one.name: one.name for one in self._types.entity_types}
            self._entered[name] = choice("Of each entity of the type", options, cast("str | None", stored))
        else:
            label, step, least = {
                "factor": ("How strongly (1 does nothing)", 0.5, 1),
                "position": ("At place", 1, 1),
                "most": ("So many at most", 1, 1),
                "share": ("Share of the list (above 0, to 1)", 0.1, 0),
            }[name]
            self._entered[name] = number(label, stored or DEFAULTS[name], step=step, least=least)

    def _field(self, name: str) -> object:
        if name == "target":
            return self._target.value()
        if name in self._picked:
            if not self._picked[name].ids:
                raise ValueError("Say which item to pin." if name == "item_id" else "Say of which entity.")
            return self._picked[name].ids[0]
        value = self._entered[name].value
        if value in (None, ""):
            raise ValueError("Say of which type, such as Genre." if name == "entity_type" else "A number is missing.")
        return int(value) if name in ("position", "most") else value


_ALL = {"effect", *(name for names in NEEDS.values() for name in names)}


class TargetForm:
    """Items by name, by where one or two relations lead, and by a filter on their fields."""

    def __init__(self, api: Api, types: DeclaredTypes, target: Mapping[str, Any]) -> None:
        self._api = api
        self._stored: Values = dict(target)
        path: Sequence[str] = target.get("path") or ()
        relations = {one.type: f"{one.type} ({one.head} – {one.tail})" for one in types.relations if one.head != "User"}
        html(f'<p class="quiet">{ANY_TARGET}</p>').classes("wide")
        with ui.element("div").classes("wide"):
            self._items = Picked(api, {"item": "These items"}, target.get("item_ids") or ())
        to = target.get("to")
        self._to = Picked(
            api,
            {"entity": "Items that lead to an entity", "item": "or to an item"},
            [to] if to else [],
            "a name",
            one=True,
            picked=self._guess_path,
        )
        first, second = [*path, None, None][:2]
        self._path = [choice("by the relation", relations, first), choice("and then by", relations, second)]
        html('<p class="quiet">and whose fields are so</p>').classes("wide")
        self._filter = FilterForm(types, target.get("filter"))

    def value(self) -> Values:
        """Raises: ValueError saying what is missing."""
        path = [str(one.value) for one in self._path if one.value]
        to = next(iter(self._to.ids), None)
        if bool(path) != (to is not None):
            raise ValueError("Say by which relation." if to else "Say where the relation leads: search for a name.")
        parts = {"item_ids": self._items.ids, "path": path, "to": to, "filter": self._filter.value()}
        if not any(parts.values()):
            raise ValueError("Say which items: search for an item, or for an entity that they have.")
        known = {name: value for name, value in self._stored.items() if name not in parts}
        return known | {name: value for name, value in parts.items() if value}

    async def _guess_path(self, found: Found) -> None:
        """The relation by which most items have the entity, where none is chosen yet."""
        if found.kind != "entity" or any(one.value for one in self._path):
            return
        try:
            relations = await self._api.relations_to(found.id)
        except ApiProblem:
            return  # it can be chosen by hand
        if relations:
            self._path[0].value = relations[0]
