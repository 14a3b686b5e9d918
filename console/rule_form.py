"""The form of one rule: what it does, to which items, for whom and until when."""

from collections.abc import Mapping
from html import escape
from typing import Any

from nicegui import ui

from console.client import Api, ApiProblem
from console.parts import Search, button, html
from domain.answers import Found

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
SEGMENTS = ("new", "beginner", "regular", "heavy")
TO_ITEMS = ("boost", "bury", "hide", "filter_in", "filter_out")


class RuleForm:
    """rule_id: of the stored rule; "" until a new one is named. What the form does not show of a rule is kept."""

    def __init__(self, api: Api, rule_id: str | None, rule: Mapping[str, Any]) -> None:
        self._api = api
        self._rule = dict(rule)
        self._then: dict[str, Any] = dict(rule.get("consequence") or {"effect": "boost", "factor": 2})
        self._target: dict[str, Any] = dict(self._then.get("target") or {})
        condition: Mapping[str, Any] = rule.get("condition") or {}
        with ui.element("div").classes("form mt8"):
            self._id = _text("Name of the rule", rule_id or "", "front-page-comedies")
            if rule_id is not None:
                self._id.props("readonly")
            self._effect = ui.select(
                EFFECTS, value=self._then["effect"], label="What it does", on_change=self._show_fields
            )
            self._effect.props("outlined dense options-dense")
            self._fields = ui.element("div").classes("wide")
            self._segments = ui.select(
                list(SEGMENTS), multiple=True, value=list(condition.get("segments", ())), label="For users who are"
            )
            self._segments.props("outlined dense options-dense use-chips")
            self._placements = _text("Only at placements", ", ".join(condition.get("placements", ())), "home, cart")
            self._description = _text("What it is for", str(rule.get("description", "")), "shown in the list of rules")
            self._priority = ui.number(label="Priority", value=int(rule.get("priority", 0)), precision=0).props(
                "outlined dense"
            )
            validity: Mapping[str, Any] = rule.get("validity") or {}
            self._from = _day("Valid from (UTC)", validity.get("from"))
            self._until = _day("Valid until, not included (UTC)", validity.get("until"))
            self._enabled = ui.checkbox("Switched on", value=bool(rule.get("enabled", True))).classes("wide")
        self._fault = html("")
        self._show_fields()

    @property
    def rule_id(self) -> str:
        return str(self._id.value or "").strip()

    def rule(self, *, needs_id: bool = False) -> dict[str, Any] | None:
        """The rule as PUT takes it; None when something is missing, which the form then says."""
        missing = self._missing(needs_id)
        said = f'<p class="problem" role="alert">{escape(missing)}</p>' if missing else ""
        self._fault.set_content(said)
        if missing:
            return None
        condition = {**(self._rule.get("condition") or {}), "segments": list(self._segments.value or [])}
        placements = str(self._placements.value or "").split(",")
        condition["placements"] = [place.strip() for place in placements if place.strip()]
        return {
            **self._rule,
            "consequence": self._consequence(),
            "condition": condition,
            "validity": self._validity(),
            "description": str(self._description.value or ""),
            "priority": int(self._priority.value or 0),
            "enabled": bool(self._enabled.value),
        }

    def _validity(self) -> dict[str, str]:
        """The days chosen, from midnight; a time that was stored stays while its day does."""
        stored: Mapping[str, Any] = self._rule.get("validity") or {}
        chosen = {"from": str(self._from.value or ""), "until": str(self._until.value or "")}
        kept = {name: str(stored.get(name) or "") for name in chosen}
        return {
            name: kept[name] if kept[name].startswith(day) else f"{day}T00:00:00Z"
            for name, day in chosen.items()
            if day
        }

    def _missing(self, needs_id: bool) -> str | None:
        effect, then = str(self._effect.value), self._then
        if needs_id and not self.rule_id:
            return "Give the rule a name."
        if effect in TO_ITEMS and not (
            self._target.get("item_ids") or self._target.get("to") or self._target.get("filter")
        ):
            return "Say which items: search for an item, or for an entity that they have."
        if effect == "pin" and not then.get("item_id"):
            return "Say which item to pin."
        if effect == "min_share" and not then.get("entity_id"):
            return "Say of which entity."
        return "Say of which type, such as Genre." if effect == "cap" and not then.get("entity_type") else None

    def _consequence(self) -> dict[str, Any]:
        effect, then = str(self._effect.value), self._then
        fields: dict[str, Any] = {"effect": effect}
        if effect in TO_ITEMS:
            fields["target"] = self._target
        if effect in ("boost", "bury"):
            fields["factor"] = float(then.get("factor") or 2)
        if effect == "pin":
            fields |= {"item_id": then["item_id"], "position": int(then.get("position") or 1)}
        if effect == "cap":
            fields |= {"entity_type": then["entity_type"], "most": int(then.get("most") or 3)}
        if effect == "min_share":
            fields |= {"entity_id": then["entity_id"], "share": float(then.get("share") or 0.2)}
        return fields

    def _show_fields(self) -> None:
        effect = str(self._effect.value)
        self._fields.clear()
        with self._fields, ui.element("div").classes("form"):
            if effect in TO_ITEMS:
                Search(self._api, "item", "To an item", "a name", self._add_item)
                Search(self._api, "entity", "Or to all items with", "a genre, a maker …", self._set_entity)
                self._chips = ui.element("div").classes("chips wide")
                self._show_chips()
            if effect in ("boost", "bury"):
                self._number("factor", "How strongly (1 does nothing)", 2, step=0.5, least=1)
            if effect == "pin":
                Search(self._api, "item", "Which item", "a name", self._pin)
                self._number("position", "At place", 1, step=1, least=1)
                self._chips = ui.element("div").classes("chips wide")
                self._show_chips()
            if effect == "cap":
                kind = _text("Of each entity of the type", str(self._then.get("entity_type") or ""), "Genre")
                kind.on_value_change(lambda event: self._then.update(entity_type=str(event.value or "").strip()))
                self._number("most", "So many at most", 3, step=1, least=1)
            if effect == "min_share":
                Search(self._api, "entity", "Of which entity", "a name", self._share_of)
                self._number("share", "Share of the list (0 to 1)", 0.2, step=0.1, least=0)
                self._chips = ui.element("div").classes("chips wide")
                self._show_chips()

    def _number(self, name: str, label: str, default: float, *, step: float, least: float) -> None:
        field = ui.number(label=label, value=self._then.get(name) or default, step=step, min=least).props(
            "outlined dense"
        )
        field.on_value_change(lambda event: self._then.update({name: event.value}))

    def _show_chips(self) -> None:
        effect = str(self._effect.value)
        chosen = {"pin": [self._then.get("item_id")], "min_share": [self._then.get("entity_id")]}.get(
            effect, [*self._target.get("item_ids", ()), self._target.get("to")]
        )
        self._chips.clear()
        with self._chips:
            for one in filter(None, chosen):
                button(f"{one} ×", lambda one=one: self._drop(str(one)), look="chip hot", label=f"Remove {one}")

    def _drop(self, one: str) -> None:
        self._target["item_ids"] = [item for item in self._target.get("item_ids", ()) if item != one]
        if self._target.get("to") == one:
            self._target = {"item_ids": self._target["item_ids"]}
        for name in ("item_id", "entity_id"):
            if self._then.get(name) == one:
                self._then[name] = None
        self._show_chips()

    def _add_item(self, found: Found) -> None:
        self._target["item_ids"] = list(dict.fromkeys([*self._target.get("item_ids", ()), found.id]))
        self._show_chips()

    async def _set_entity(self, found: Found) -> None:
        try:
            relations = await self._api.relations_to(found.id)
        except ApiProblem as problem:
            self._fault.set_content(f'<p class="problem" role="alert">{escape(problem.detail)}</p>')
            return
        if relations:
            self._target |= {"path": [relations[0]], "to": found.id}
        self._show_chips()

    def _pin(self, found: Found) -> None:
        self._then["item_id"] = found.id
        self._show_chips()

    def _share_of(self, found: Found) -> None:
        self._then["entity_id"] = found.id
        self._show_chips()


def _text(label: str, value: str, hint: str) -> ui.input:
    return ui.input(label=label, value=value, placeholder=hint).props("outlined dense autocomplete=off")


def _day(label: str, time: object) -> ui.input:
    return ui.input(label=label, value=str(time or "")[:10]).props("outlined dense type=date stack-label")
