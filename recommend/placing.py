"""From scored items to places of a list: pins, then the best by score within caps, minimum shares and diversity."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from recommend.catalogue import Catalogue
from recommend.choice import Removal, best_rows
from recommend.diversify import Diversity
from recommend.steering import Cap, MinShare, Pin

POOL_PER_PLACE = 5  # candidates for each place of a list that is not simply the best
LEAST_POOL = 100


@dataclass(frozen=True)
class Wishes:
    """What shapes a list beside the scores. pins: those that may be shown, each with its row. diversity None: off."""

    pins: tuple[Pin, ...] = ()
    caps: tuple[Cap, ...] = ()
    shares: tuple[MinShare, ...] = ()
    diversity: Diversity | None = None

    @property
    def is_plain(self) -> bool:
        return not (self.pins or self.caps or self.shares or self.diversity)


@dataclass(frozen=True)
class Placed:
    """rows: in the order shown. pinned: row -> position that was asked for. forced: row -> rule of a minimum share.

    full: entity row -> the cap that it has reached. short: minimum shares for which there were not enough items.
    """

    rows: tuple[int, ...]
    pinned: Mapping[int, Pin]
    forced: Mapping[int, str]
    full: Mapping[int, Cap]
    short: tuple[MinShare, ...] = ()


def place(
    catalogue: Catalogue, scores: NDArray[np.float64], allowed: NDArray[np.int64], n: int, wishes: Wishes
) -> Placed:
    """At most n rows. allowed: those that may be shown beside the pins."""
    if wishes.is_plain:
        return Placed(best_rows(scores, allowed, n, catalogue.item_ids), {}, {}, {})
    pinned = _pinned(wishes.pins, n)
    free = allowed[~np.isin(allowed, [pin.row for pin in pinned.values() if pin.row is not None])]
    pool = best_rows(scores, free, max(LEAST_POOL, POOL_PER_PLACE * n), catalogue.item_ids)
    placing = _Placing(catalogue, scores, pool, n, wishes)
    whole = placing.run(pinned)
    if len(whole.rows) < n and len(pool) < len(free):  # caps left too little of the pool
        pool = best_rows(scores, free, len(free), catalogue.item_ids)
        whole = _Placing(catalogue, scores, pool, n, wishes).run(pinned)
    return whole


def _pinned(pins: Sequence[Pin], n: int) -> dict[int, Pin]:
    """Place (from 0) -> pin. A place that is taken by a rule of higher priority: the next free one."""
    placed: dict[int, Pin] = {}
    rows: set[int | None] = set()
    for pin in pins:
        free = next((at for at in range(pin.position - 1, n) if at not in placed), None)
        if free is not None and pin.row not in rows:
            placed[free] = pin
            rows.add(pin.row)
    return placed


class _Placing:
    """One run over the places of a list. pool: candidates, best first."""

    def __init__(
        self, catalogue: Catalogue, scores: NDArray[np.float64], pool: tuple[int, ...], n: int, wishes: Wishes
    ) -> None:
        self._catalogue = catalogue
        self._pool = pool
        self._n = n
        self._wishes = wishes
        self._left = np.ones(len(pool), np.bool_)
        self._rows: list[int] = []
        self._short: list[MinShare] = []
        self._forced: dict[int, str] = {}
        self._of_type: dict[int, Counter[int]] = {cap.entity_type: Counter() for cap in wishes.caps}
        self._needs = [ceil(share.share * n - 1e-9) for share in wishes.shares]
        self._values = None if wishes.diversity is None else wishes.diversity.over(np.array(pool, np.int64), scores)

    def run(self, pinned: Mapping[int, Pin]) -> Placed:
        for pin in pinned.values():
            self._count(pin.row or 0)
        for position in range(self._n):
            pin = pinned.get(position)
            chosen = self._next(self._n - position - sum(at > position for at in pinned)) if pin is None else pin.row
            if chosen is None:
                continue
            self._rows.append(chosen)
            if pin is None:
                self._count(chosen)
            if self._values is not None:
                self._values.take(chosen)
        pins = {pin.row: pin for pin in pinned.values() if pin.row is not None}
        return Placed(tuple(self._rows), pins, self._forced, self._full(), tuple(self._short))

    def _next(self, places_left: int) -> int | None:
        """The best candidate that caps let through and minimum shares leave a place for."""
        owed = [place for place, need in enumerate(self._needs) if need > 0]
        is_urgent = bool(owed) and sum(self._needs[place] for place in owed) >= places_left
        for place in self._in_order():
            row = self._pool[place]
            share = next((self._wishes.shares[one] for one in owed if row in self._wishes.shares[one].rows), None)
            if (is_urgent and share is None) or self._capped(row) is not None:
                continue
            if is_urgent and share is not None and any(self._left[:place]):
                self._forced[row] = share.rule_id
            self._left[place] = False
            return row
        if is_urgent:  # no item of these entities is left: the places go to others
            for place in owed:
                self._short.append(self._wishes.shares[place])
                self._needs[place] = 0
            return self._next(places_left)
        return None

    def _in_order(self) -> Sequence[int]:
        """Places of the pool that are left, best first."""
        left = np.flatnonzero(self._left)
        if self._values is None:
            return left.tolist()
        values = self._values.values()[left]
        return left[np.argsort(-values, kind="stable")].tolist()

    def _count(self, row: int) -> None:
        for entity_type, counts in self._of_type.items():
            counts.update(entities_of(self._catalogue, row, entity_type))
        for place, share in enumerate(self._wishes.shares):
            self._needs[place] -= row in share.rows

    def _capped(self, row: int) -> tuple[int, Cap] | None:
        for cap in self._wishes.caps:
            counts = self._of_type[cap.entity_type]
            for entity in entities_of(self._catalogue, row, cap.entity_type):
                if counts[entity] >= cap.most:
                    return entity, cap
        return None

    def _full(self) -> dict[int, Cap]:
        full: dict[int, Cap] = {}
        for cap in self._wishes.caps:
            for entity, count in self._of_type[cap.entity_type].items():
                if count >= cap.most:
                    full.setdefault(entity, cap)
        return full


def entities_of(catalogue: Catalogue, item_row: int, entity_type: int) -> set[int]:
    """The entities of a type that an item has."""
    return {row for _, row in catalogue.knowledge.of_left(item_row) if catalogue.entity_types[row] == entity_type}


def left_behind(
    catalogue: Catalogue,
    scores: NDArray[np.float64],
    allowed: NDArray[np.int64],
    wishes: Wishes,
    placed: Placed,
    row: int,
) -> Removal | None:
    """What kept out an item that may be shown and is good enough to be; None when it is only not good enough."""
    if row in placed.rows or wishes.is_plain:
        return None
    moved = [one for one in placed.rows if one in placed.pinned or one in placed.forced]
    least = min((scores[one] for one in placed.rows if one not in moved), default=-np.inf)
    caps = [cap for cap in wishes.caps if entities_of(catalogue, row, cap.entity_type) & placed.full.keys()]
    if caps and scores[row] >= least:
        entity = min(entities_of(catalogue, row, caps[0].entity_type) & placed.full.keys())
        return Removal("cap", rule_id=caps[0].rule_id, detail=str(catalogue.entity_ids[entity]))
    if wishes.diversity is not None and scores[row] > least:
        return Removal("diversity")
    if moved and int(np.count_nonzero(scores[allowed] > scores[row])) < len(placed.rows):
        lowest = min(moved, key=lambda one: scores[one])
        rule_id = placed.forced.get(lowest) or placed.pinned[lowest].rule_id
        return Removal("rule", rule_id=rule_id, detail=str(catalogue.item_ids[lowest]))
    return None
