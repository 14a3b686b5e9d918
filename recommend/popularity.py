"""How many people took each item, of late and ever: what is shown when nothing is known of the visitor."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.declarations import Declaration, EventKind
from domain.records import Event
from domain.snapshot import Snapshot
from embeddings.weighting import DAY_MS
from recommend.changes import LoggedEvent, UserChanges

WINDOW_DAYS = 30


def is_positive(kind: EventKind, value: float | None) -> bool:
    """Whether an event of this kind and value counts for its item."""
    return event_weight(kind, value) > 0


def event_weight(kind: EventKind, value: float | None) -> float:
    """What one event says about taste, by itself."""
    if not kind.steps:
        return kind.weight
    reached = [factor for least, factor in sorted(kind.steps) if value is not None and value >= least]
    return kind.weight * reached[-1] if reached else 0.0


class Popularity:
    """People per item, each once. `recent`: the last 30 days of the snapshot's own time, and every event of the log.

    The window ends at the snapshot's newest event, not today: histories may end years ago. One thread applies records,
    any number reads. Ids that no catalogue has yet are counted when one has them.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        events = snapshot.interactions
        positive = _positive(snapshot.declaration, events.kinds, events.values)
        users, items, at = events.user_rows[positive], events.item_rows[positive], events.at[positive]
        self.num_users = int(np.count_nonzero(np.bincount(users)))
        self._late_from = int(at.max()) - WINDOW_DAYS * DAY_MS if len(at) else 0
        late, num_items = at >= self._late_from, len(snapshot.item_ids)
        self._ever = _people(users, items, num_items)
        self._recent = _people(users[late], items[late], num_items)
        self._kinds = {kind.name: kind for kind in snapshot.declaration.event_kinds}
        self._snapshot = snapshot
        self._starts = np.searchsorted(events.user_rows, np.arange(len(snapshot.user_ids) + 1))
        self._lock = threading.Lock()
        self._more_recent: Counter[str] = Counter()  # not in the arrays yet
        self._more_ever: Counter[str] = Counter()

    def add(self, event: Event, before: UserChanges) -> None:
        """Counts an event of the log, unless its user is known to have taken the item."""
        item_id = event.item_id
        if not self._is_positive(event) or any(
            one.item_id == item_id and self._is_positive(one) for one in before.events
        ):
            return
        last = self._last_taken(event.user_id, before, item_id)
        with self._lock:
            if last is None or last < self._late_from:
                self._more_recent[item_id] += 1
            if last is None:
                self._more_ever[item_id] += 1

    def forget(self, user_id: str, gone: UserChanges) -> None:
        """Takes an erased person out, with what the snapshot has of them."""
        self._change(-1, *self._taken(user_id, gone))

    def join(self, user_id: str, user: UserChanges, visitor_id: str, visitor: UserChanges) -> None:
        """Counts a user and the visitor that they were as one person."""
        recent, ever = self._taken(user_id, user)
        too_recent, too_ever = self._taken(visitor_id, visitor)
        self._change(-1, recent & too_recent, ever & too_ever)

    def counts(self, item_rows: Mapping[str, int], num_items: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(I,) people of late, and (I,) people ever, for a catalogue that may have grown. Not to be written to.

        Costs a copy where something came since the last call, whatever the log holds, and nothing where not.
        """
        with self._lock:
            self._recent = _with_more(self._recent, self._more_recent, item_rows, num_items)
            self._ever = _with_more(self._ever, self._more_ever, item_rows, num_items)
            return self._recent[:num_items], self._ever[:num_items]

    def _change(self, people: int, recent: Iterable[str], ever: Iterable[str]) -> None:
        with self._lock:
            self._more_recent.update(dict.fromkeys(recent, people))
            self._more_ever.update(dict.fromkeys(ever, people))

    def _taken(self, user_id: str, changes: UserChanges) -> tuple[set[str], set[str]]:
        """The items that a person took of late, and ever."""
        recent = {event.item_id for event in changes.events if self._is_positive(event)}
        ever, events = set(recent), self._snapshot.interactions
        for row in self._rows(user_id, changes):
            part = slice(int(self._starts[row]), int(self._starts[row + 1]))
            positive = _positive(self._snapshot.declaration, events.kinds[part], events.values[part])
            names = self._snapshot.item_ids[events.item_rows[part]]
            ever.update(names[positive].tolist())
            recent.update(names[positive & (events.at[part] >= self._late_from)].tolist())
        return recent, ever

    def _last_taken(self, user_id: str, changes: UserChanges, item_id: str) -> int | None:
        """When a person took an item last, as far as the snapshot knows; None: never."""
        item_row = self._item_row.get(item_id)
        if item_row is None:
            return None
        times, events = list[int](), self._snapshot.interactions
        for row in self._rows(user_id, changes):
            start = int(self._starts[row])
            places = start + np.flatnonzero(events.item_rows[start : int(self._starts[row + 1])] == item_row)
            if len(places):
                positive = _positive(self._snapshot.declaration, events.kinds[places], events.values[places])
                times += events.at[places[positive]].tolist()
        return max(times, default=None)

    def _rows(self, user_id: str, changes: UserChanges) -> list[int]:
        """The rows of the snapshot whose events are this person's."""
        user_row = self._snapshot.user_row
        ids = () if changes.gone else (user_id,)
        if changes.merged:
            ids += tuple(visitor_id for _, visitor_id in changes.merged)
        return [user_row[one] for one in ids if one in user_row]

    @cached_property
    def _item_row(self) -> dict[str, int]:
        return {str(item_id): row for row, item_id in enumerate(self._snapshot.item_ids.tolist())}

    def _is_positive(self, event: Event | LoggedEvent) -> bool:
        kind = self._kinds.get(event.kind)
        return kind is not None and is_positive(kind, event.value)


def first_takers(snapshot: Snapshot, days: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(I,) people who took each item for the first time in the snapshot's last days, and (I,) people ever.

    Told event by event as by Popularity, with which it is compared; training goes by whole pairs, whose weights add up.
    """
    events, num_items = snapshot.interactions, len(snapshot.item_ids)
    positive = _positive(snapshot.declaration, events.kinds, events.values)
    users, items, at = events.user_rows[positive], events.item_rows[positive], events.at[positive]
    pairs = users.astype(np.int64) * max(num_items, 1) + items
    order = np.lexsort((at, pairs))
    pairs, at = pairs[order], at[order]
    first = np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]
    rows, late = pairs[first] % max(num_items, 1), at[first] > events.at.max(initial=0) - days * DAY_MS
    return np.bincount(rows[late], minlength=num_items), np.bincount(rows, minlength=num_items)


def _with_more(
    people: NDArray[np.int64], more: Counter[str], item_rows: Mapping[str, int], num_items: int
) -> NDArray[np.int64]:
    """The counts with those that came, which leave `more`; the same array where none did. Readers may hold the old."""
    size = max(num_items, len(people))
    known = [item_id for item_id in more if item_rows.get(item_id, size) < size]
    if not known and len(people) == size:
        return people
    grown = np.zeros(size, np.int64)
    grown[: len(people)] = people
    rows = np.array([item_rows[item_id] for item_id in known], np.int64)
    grown[rows] += np.array([more.pop(item_id) for item_id in known], np.int64)
    return grown


def _positive(declaration: Declaration, kinds: NDArray[np.int16], values: NDArray[np.float32]) -> NDArray[np.bool_]:
    positive = np.zeros(len(kinds), np.bool_)
    for code, kind in enumerate(declaration.event_kinds):
        of_kind = (kinds == code) & (kind.weight > 0)
        if kind.steps:
            of_kind &= values >= min((least for least, factor in kind.steps if factor > 0), default=np.inf)
        positive |= of_kind
    return positive


def _people(users: NDArray[np.int32], items: NDArray[np.int32], num_items: int) -> NDArray[np.int64]:
    """(I,) distinct users per item."""
    pairs = np.sort(users.astype(np.int64) * max(num_items, 1) + items)  # np.unique would keep other threads waiting
    first = np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]
    return np.bincount(pairs[first] % max(num_items, 1), minlength=num_items)
