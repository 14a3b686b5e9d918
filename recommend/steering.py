"""What the rules that hold for a request do to its list, ready to be applied."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.rules import StoredRule


@dataclass(frozen=True)
class Pin:
    """position: from 1. row None: the catalogue does not have the item."""

    rule_id: str
    item_id: str
    position: int
    row: int | None


@dataclass(frozen=True)
class Cap:
    """At most so many items of each entity of a type (a code of the declaration). rule_id None: the request asks."""

    entity_type: int
    most: int
    rule_id: str | None = None


@dataclass(frozen=True)
class MinShare:
    """rows: the items of the entity, of which at least this share of the list is to be."""

    rule_id: str
    entity_id: str
    rows: frozenset[int]
    share: float


@dataclass(frozen=True)
class Steering:
    """banned: (I,) items that rules keep out. log_boost: (I,) Σ ± ln(factor). Each None without such a rule.

    rules: those that hold and have items, with their rows; by falling priority. rule_ids: of all that hold.
    """

    rules: tuple[tuple[StoredRule, NDArray[np.int64]], ...] = ()
    rule_ids: tuple[str, ...] = ()
    banned: NDArray[np.bool_] | None = None
    log_boost: NDArray[np.float32] | None = None
    pins: tuple[Pin, ...] = ()
    caps: tuple[Cap, ...] = ()
    shares: tuple[MinShare, ...] = ()
    _boosts: dict[int, tuple[tuple[str, float], ...]] = field(default_factory=dict[int, tuple[tuple[str, float], ...]])

    def banned_by(self, row: int) -> str | None:
        """The rule that keeps an item out."""
        if self.banned is None or not self.banned[row]:
            return None
        for stored, rows in self.rules:
            effect = effect_of(stored)
            place = int(np.searchsorted(rows, row))
            is_in = place < len(rows) and rows[place] == row
            if (effect in ("hide", "filter_out") and is_in) or (effect == "filter_in" and not is_in):
                return stored.rule_id
        return None

    def boosts_of(self, row: int) -> tuple[tuple[str, float], ...]:
        """(rule id, ± ln(factor)) of the rules that boost or bury an item."""
        if self.log_boost is None:
            return ()
        if row not in self._boosts:
            start, end = np.searchsorted(self._boosted[0], (row, row + 1))
            places = self._boosted[1][start:end].tolist()
            self._boosts[row] = tuple(
                (self.rules[place][0].rule_id, log_factor(self.rules[place][0])) for place in places
            )
        return self._boosts[row]

    @cached_property
    def _boosted(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(m,) boosted rows, rising, and (m,) the place of the rule of each."""
        places = [place for place, (stored, _) in enumerate(self.rules) if effect_of(stored) in ("boost", "bury")]
        rows = np.concatenate([self.rules[place][1] for place in places])
        owners = np.repeat(np.array(places, np.int64), [len(self.rules[place][1]) for place in places])
        order = np.argsort(rows, kind="stable")
        return rows[order], owners[order]


NOTHING = Steering()


def effect_of(stored: StoredRule) -> str:
    assert stored.rule is not None  # a deleted rule holds never
    return stored.rule.consequence.effect


def log_factor(stored: StoredRule) -> float:
    """ln(factor) of a boost, − ln(factor) of a bury."""
    assert stored.rule is not None
    value = float(np.log(stored.rule.consequence.factor or 1.0))
    return value if stored.rule.consequence.effect == "boost" else -value


def steering_of(
    holding: Sequence[tuple[StoredRule, NDArray[np.int64]]], num_items: int, entity_code: dict[str, int]
) -> Steering:
    """holding: the rules that hold, by falling priority, each with its rows."""
    if not holding:
        return NOTHING
    by_effect: dict[str, list[tuple[StoredRule, NDArray[np.int64]]]] = {}
    for stored, rows in holding:
        by_effect.setdefault(effect_of(stored), []).append((stored, rows))
    return Steering(
        rules=tuple(holding),
        rule_ids=tuple(stored.rule_id for stored, _ in holding),
        banned=_banned(by_effect, num_items),
        log_boost=_log_boost([*by_effect.get("boost", ()), *by_effect.get("bury", ())], num_items),
        pins=tuple(_pin(stored, rows) for stored, rows in by_effect.get("pin", ())),
        caps=tuple(_caps((stored for stored, _ in by_effect.get("cap", ())), entity_code)),
        shares=tuple(_share(stored, rows) for stored, rows in by_effect.get("min_share", ())),
    )


def _banned(
    by_effect: dict[str, list[tuple[StoredRule, NDArray[np.int64]]]], num_items: int
) -> NDArray[np.bool_] | None:
    out = [*by_effect.get("hide", ()), *by_effect.get("filter_out", ())]
    only = by_effect.get("filter_in", ())
    if not out and not only:
        return None
    banned = np.zeros(num_items, np.bool_)
    for _, rows in out:
        banned[rows] = True
    for _, rows in only:
        others = np.ones(num_items, np.bool_)
        others[rows] = False
        banned |= others
    return banned


def _log_boost(boosts: Sequence[tuple[StoredRule, NDArray[np.int64]]], num_items: int) -> NDArray[np.float32] | None:
    if not boosts:
        return None
    amounts = np.zeros(num_items, np.float64)
    for stored, rows in boosts:
        amounts[rows] += log_factor(stored)
    return amounts.astype(np.float32)


def _pin(stored: StoredRule, rows: NDArray[np.int64]) -> Pin:
    assert stored.rule is not None
    wanted = stored.rule.consequence
    return Pin(stored.rule_id, wanted.item_id or "", wanted.position or 1, int(rows[0]) if len(rows) else None)


def _caps(rules: Iterable[StoredRule], entity_code: dict[str, int]) -> Iterable[Cap]:
    """Of a type that the graph no longer declares there are no items."""
    for stored in rules:
        assert stored.rule is not None
        wanted = stored.rule.consequence
        code = entity_code.get(wanted.entity_type or "")
        if code is not None:
            yield Cap(code, wanted.most or 0, stored.rule_id)


def _share(stored: StoredRule, rows: NDArray[np.int64]) -> MinShare:
    assert stored.rule is not None
    wanted = stored.rule.consequence
    return MinShare(stored.rule_id, wanted.entity_id or "", frozenset(rows.tolist()), wanted.share or 0.0)
