"""How many people took each item, of late and ever: what is shown when nothing is known of the visitor."""

from collections import Counter
from collections.abc import Mapping

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

    The window ends at the snapshot's newest event, not today: histories may end years ago.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        events = snapshot.interactions
        positive = _positive(snapshot.declaration, events.kinds, events.values)
        users, items, at = events.user_rows[positive], events.item_rows[positive], events.at[positive]
        self.num_users = int(np.count_nonzero(np.bincount(users)))
        late = at >= (at.max() - WINDOW_DAYS * DAY_MS) if len(at) else np.zeros(0, np.bool_)
        num_items = len(snapshot.item_ids)
        self._ever = _people(users, items, num_items)
        self._recent = _people(users[late], items[late], num_items)
        self._kinds = {kind.name: kind for kind in snapshot.declaration.event_kinds}
        self._later: Counter[str] = Counter()

    def add(self, event: Event, before: UserChanges) -> None:
        """Counts an event of the log, unless the log had its user take the item before."""
        if self._is_positive(event) and not any(
            one.item_id == event.item_id and self._is_positive(one) for one in before.events
        ):
            self._later[event.item_id] += 1

    def forget(self, gone: UserChanges) -> None:
        """Takes an erased person out of the counts of the log."""
        self._later.subtract(self._taken(gone))

    def join(self, user: UserChanges, visitor: UserChanges) -> None:
        """Counts a user and the visitor that they were as one person."""
        self._later.subtract(self._taken(user) & self._taken(visitor))

    def _taken(self, changes: UserChanges) -> set[str]:
        return {event.item_id for event in changes.events if self._is_positive(event)}

    def _is_positive(self, event: Event | LoggedEvent) -> bool:
        kind = self._kinds.get(event.kind)
        return kind is not None and is_positive(kind, event.value)

    def counts(self, item_rows: Mapping[str, int], num_items: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(I,) people of late, and (I,) people ever, for a catalogue that may have grown."""
        recent, ever = (np.zeros(num_items, np.int64) for _ in range(2))
        recent[: len(self._recent)], ever[: len(self._ever)] = self._recent, self._ever
        for item_id, people in list(self._later.items()):
            row = item_rows.get(item_id)
            if row is not None:
                recent[row] += people
                ever[row] += people
        return recent, ever


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
