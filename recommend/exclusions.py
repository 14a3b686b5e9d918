"""Which items may be in a list at all, and what keeps each other one out."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recommend.choice import Removal
from recommend.filter import Test, compile_filter, fields_of
from recommend.request import RecommendRequest
from recommend.steering import Steering
from recommend.subject import Subject
from recommend.world import View

NO_EVIDENCE = Removal("no_evidence")
NOT_FOUND = Removal("filtered", detail="query")


class Exclusions:
    """The hard exclusions of one request. In this order: rules that hide or filter, hidden, seen, filter, kind,
    availability, evidence.

    Asked-for items may be seen ones, and need no evidence. evidence: (I,) an item at or below 0 is not worth showing.
    Raises: InvalidRequest for the filter.
    """

    def __init__(
        self,
        view: View,
        subject: Subject,
        request: RecommendRequest,
        evidence: NDArray[np.float32],
        now_ms: int,
        steering: Steering,
    ) -> None:
        self._view = view
        self._request = request
        self._evidence = evidence
        self._steering = steering
        self._hidden = subject.hidden(now_ms)
        self._seen = _seen(subject, request)
        self._filter: Test | None = None
        if request.filter is not None:
            self._filter = compile_filter(request.filter, view.catalogue.field_names)

    @cached_property
    def asked_rows(self) -> tuple[int, ...] | None:
        """The asked-for items that exist; None when Clew picks."""
        if self._request.item_ids is None:
            return None
        rows = self._view.catalogue.item_rows
        return tuple(rows[item_id] for item_id in self._request.item_ids if item_id in rows)

    @cached_property
    def allowed_rows(self) -> NDArray[np.int64]:
        """The rows that may be shown, in any order."""
        if self.asked_rows is not None:
            return np.array([row for row, removal in self._asked.items() if removal is None], np.int64)
        allowed = self._view.catalogue.available & (self._evidence > 0)
        allowed[list(self._hidden | self._seen)] = False
        if self._steering.banned is not None:
            allowed &= ~self._steering.banned
        rows = np.flatnonzero(allowed)
        if self._filter is None and self._request.item_kind is None:
            return rows
        return np.array([row for row in rows.tolist() if self._mismatch(row) is None], np.int64)

    def removal_of(self, row: int) -> Removal | None:
        """The first thing that keeps an item out; None when it may be shown."""
        if self.asked_rows is None:
            return self._removal(row, picked=True)
        return self._asked.get(row, Removal("not_asked_for"))

    @cached_property
    def _asked(self) -> dict[int, Removal | None]:
        return {row: self._removal(row, picked=False) for row in self.asked_rows or ()}

    def bars(self, row: int) -> Removal | None:
        """What keeps an item out that needs no evidence, as a pinned one does not."""
        removal = self.removal_of(row)
        return None if removal in (NO_EVIDENCE, NOT_FOUND) else removal

    def _removal(self, row: int, *, picked: bool) -> Removal | None:
        rule_id = self._steering.banned_by(row)
        if rule_id is not None:
            return Removal("rule", rule_id=rule_id)
        if row in self._hidden:
            return Removal("hidden")
        if picked and row in self._seen:
            return Removal("seen")
        mismatch = self._mismatch(row)
        if mismatch is not None:
            return mismatch
        if not self._view.catalogue.available[row]:
            return Removal("unavailable")
        if self._request.query is not None and self._evidence[row] <= 0:
            return NOT_FOUND
        return NO_EVIDENCE if picked and self._evidence[row] <= 0 else None

    def _mismatch(self, row: int) -> Removal | None:
        kind = self._request.item_kind
        if self._filter is not None and not self._filter(lambda name: self._view.catalogue.field(row, name)):
            return Removal("filtered", detail=", ".join(fields_of(self._request.filter)))
        if kind is not None and self._view.catalogue.item_kinds[row] != kind:
            return Removal("item_kind", detail=kind)
        return None


def _seen(subject: Subject, request: RecommendRequest) -> frozenset[int]:
    """Items that are not shown again; with exclude_seen=False only the one that is being looked at."""
    if request.exclude_seen:
        return subject.seen
    return frozenset(deed.item_row for deed in subject.deeds if deed.source == "context")
