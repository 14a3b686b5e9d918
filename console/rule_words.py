"""A rule in words, and what one version of it has that another has not."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Rule = Mapping[str, Any]
Names = Mapping[str, str]
VERBS = {
    "pin": "Pin",
    "boost": "Boost",
    "bury": "Bury",
    "hide": "Hide",
    "filter_in": "Show only",
    "filter_out": "Leave out",
    "cap": "At most",
    "min_share": "At least",
}


def items_in(rule: Rule) -> list[str]:
    """Ids of the items that its words name."""
    then: Rule = rule["consequence"]
    ids = [then.get("item_id"), *((then.get("target") or {}).get("item_ids") or ())[:1]]
    return [*filter(None, ids), *((rule.get("condition") or {}).get("context_items") or ())]


def in_words(rule: Rule, names: Names = MappingProxyType({})) -> str:
    """ "Boost 2 × what leads to Genre:Comedy · for the front page". names: of items by id, where they are known."""
    then: Rule = rule["consequence"]
    effect = str(then["effect"])
    amount = {
        "pin": f"{_named(then.get('item_id'), names)} at {then.get('position')}",
        "boost": f"{then.get('factor', 1):g} ×",
        "bury": f"{then.get('factor', 1):g} ×",
        "cap": f"{then.get('most')} of a {then.get('entity_type')}",
        "min_share": f"{then.get('share', 0):.0%} of {then.get('entity_id')}",
    }.get(effect, "")
    told = " ".join(filter(None, (VERBS[effect], amount, _target(then.get("target") or {}, names))))
    return f"{told} · {rule['description']}" if rule.get("description") else told


def _named(item_id: str | None, names: Names) -> str:
    return names.get(item_id or "") or f"item {item_id}"


def _target(target: Rule, names: Names) -> str:
    items = target.get("item_ids") or ()
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    parts = [f"{_named(items[0], names)}{more}"] if items else []
    parts += [f"what leads to {target['to']}"] if target.get("to") else []
    return ", ".join([*parts, *(["a filter"] if target.get("filter") else [])])


def holds_when(rule: Rule, names: Names = MappingProxyType({})) -> str:
    """ "at home; for new"; empty for a rule that always holds."""
    condition: Rule = rule.get("condition") or {}
    words = {"placements": "at", "segments": "for", "queries": "searching", "entities": "who like"}
    parts = [f"{word} {', '.join(condition[name])}" for name, word in words.items() if condition.get(name)]
    parts += [f"{name} {', '.join(map(str, values))}" for name, values in (condition.get("profile") or {}).items()]
    looking = [
        *(_named(one, names) for one in condition.get("context_items") or ()),
        *(condition.get("context_entities") or ()),
    ]
    parts += [f"looking at {', '.join(looking)}"] if looking else []
    times: Rule = condition.get("times") or {}
    spans = [rule.get("validity") or {}, times]
    parts += ["at its time"] if any(span.get("from") or span.get("until") for span in spans) else []
    parts += ["at its hours"] if times.get("weekdays") or times.get("hours") else []
    return "; ".join(parts)


def changes(before: Rule | None, after: Rule | None) -> list[str]:
    """What is different, a line for each field. None: there was no rule, or it was deleted."""
    if after is None:
        return ["deleted"]
    if before is None:
        return ["made: " + in_words(after)]
    old, new = _flat(before), _flat(after)
    return [_change(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name)]


def _change(name: str, old: object, new: object) -> str:
    if old is None:
        return f"{name}: {_plain(new)}"
    return f"{name}: no longer {_plain(old)}" if new is None else f"{name}: {_plain(old)} → {_plain(new)}"


def _flat(rule: Rule, prefix: str = "") -> dict[str, object]:
    """ "consequence.factor" -> 2.0; lists stay whole."""
    flat: dict[str, object] = {}
    for name, value in rule.items():
        key = f"{prefix}{name}"
        flat |= _flat(value, f"{key}.") if isinstance(value, Mapping) else {key: value}  # pyright: ignore[reportUnknownArgumentType]
    return flat


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
