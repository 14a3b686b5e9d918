"""Erases a person from every store there is, and says store by store what became of it."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol, cast

from domain.erasure import GONE_BY, GONE_NOW, ErasedFrom, ErasureReceipt
from domain.errors import Backlog, ServerError, UnknownUser
from domain.records import UserErased
from ingest.log_contract import DurableLog
from ingest.log_erasure import Held, held_of
from ingest.receipts import ErasureNote, Receipts
from recommend.drafts import iso_time
from recommend.ports import GraphReader
from recommend.shelf import SharedState
from recommend.world import World

WAIT_S = 3.0  # for the writer to take the person out of Neo4j, before the receipt says "gone by"
POLL_S = 0.05
TRIES, PAUSE_S = 5, 0.2  # while readers keep old pages of the log's file in use
FOLLOWED_MS = 2_000  # by then every process has followed the log
BY_HAND = (
    ("models' weights", "the next training; they name nobody, and count an unnamed row among those who took an item"),
    ("graph files", "Neo4j's own time: it reuses deleted records, and drops a transaction log days after it was full"),
    ("source files", "your deleting them; loads leave the person out from now on"),
)


class Store(Protocol):
    """A place that holds something of people beside the log, the profiles and the graph.

    Raises (any method): ClewError when it cannot be used; then nothing is promised of it.
    """

    @property
    def name(self) -> str: ...

    def export(self, people: Collection[str]) -> Sequence[object]:
        """All that it holds of them, as what JSON can say."""
        ...

    def forget(self, people: Collection[str]) -> int:
        """Takes them out, who are erased in the log already. Returns how much it was. Twice equals once."""
        ...


class Written(Protocol):
    """How far the log is in the graph. Raises: GraphUnavailable, GraphRefused."""

    def writer_offset(self) -> int: ...


class PeopleGraph(GraphReader, Written, Protocol):
    """The graph, as an erasure needs it."""


class Redis(Protocol):
    def look(self) -> SharedState: ...


@dataclass(frozen=True)
class Eraser:
    """graph, shared: None where there is none. wait_s: how long an erasure may wait for the writer.

    Raises (any method): LogError.
    """

    log: DurableLog
    world: World
    graph: PeopleGraph | None = None
    shared: Redis | None = None
    stores: tuple[Store, ...] = ()
    receipts: Receipts = field(default_factory=lambda: Receipts(None))
    wait_s: float = WAIT_S
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def erase(self, user_id: str) -> ErasureReceipt:
        """Deletes a person; doing it twice is doing it once. Raises: UnknownUser for someone never seen."""
        held = held_of(self.log, user_id)
        self._require_known(user_id, held)
        removed = {"log": len(held.records), "dead letters": len(held.letters), "graph": self._relations(held.people)}
        offset = self._erase_from_log(user_id)
        self.world.catch_up()
        removed |= {store.name: store.forget(held.people) for store in self.stores}
        self._note(user_id, offset, removed)
        self._wait_for_writer(offset)
        return self.receipt(user_id)

    def receipt(self, user_id: str) -> ErasureReceipt:
        """Where an erasure stands now. Raises: UnknownUser for someone who was not erased."""
        if not self.log.is_erased(user_id):
            raise UnknownUser(f"{user_id!r} was not erased", field="user_id")
        note = self.receipts.find(user_id) or ErasureNote(self.now_ms(), self.log.last_offset(), {})
        at_once = [self._at_once(name, note) for name in ("dead letters", *(store.name for store in self.stores))]
        stores = (
            self._of_log(note),
            self._of_notice(user_id, note),
            *at_once,
            ErasedFrom(store="profiles", state=GONE_NOW),
            self._of_other_processes(note),
            *self._of_redis(note),
            *self._of_graph(user_id, note),
            *(ErasedFrom(store=name, state=GONE_BY, by=by) for name, by in BY_HAND),
        )
        return ErasureReceipt(user_id=user_id, erased_at=iso_time(note.at), stores=stores)

    def _require_known(self, user_id: str, held: Held) -> None:
        if held.records or held.letters or self.log.is_erased(user_id):
            return
        self.world.catch_up()
        if self.world.view().user(user_id) is None and not any(store.export(held.people) for store in self.stores):
            raise UnknownUser(f"no user {user_id!r}; nothing is held of them", field="user_id")

    def _erase_from_log(self, user_id: str) -> int:
        """Raises: Backlog when old pages stay in use; the rows are gone then, and may be erased once more."""
        for _ in range(TRIES - 1):
            try:
                return self.log.erase_user(user_id)
            except Backlog:
                time.sleep(PAUSE_S)
        return self.log.erase_user(user_id)

    def _note(self, user_id: str, offset: int, removed: dict[str, int]) -> None:
        before = self.receipts.find(user_id) or ErasureNote(self.now_ms(), offset, {})
        total = {name: count + before.removed.get(name, 0) for name, count in removed.items()}
        self.receipts.write(user_id, ErasureNote(before.at, offset, total))

    def _wait_for_writer(self, offset: int) -> None:
        until = time.monotonic() + self.wait_s
        while self.graph is not None and time.monotonic() < until:
            try:
                if self.graph.writer_offset() >= offset:
                    return
            except ServerError:
                return
            time.sleep(POLL_S)

    def _relations(self, people: Collection[str]) -> int:
        """How many relations these people have in the graph; 0 while it is away."""
        try:
            return 0 if self.graph is None else self._counted(self.graph, people)[1]
        except ServerError:
            return 0

    def _counted(self, graph: PeopleGraph, people: Collection[str]) -> tuple[int, int]:
        (row,) = graph.rows("read/person_count", {"ids": sorted(people)})
        return cast(int, row["people"]), cast(int, row["relations"])

    def _at_once(self, store: str, note: ErasureNote) -> ErasedFrom:
        return ErasedFrom(store=store, state=GONE_NOW, removed=note.removed.get(store))

    def _of_log(self, note: ErasureNote) -> ErasedFrom:
        gone = self.log.erasure == GONE_NOW
        by = None if gone else self.log.erasure
        return ErasedFrom(store="log", state=GONE_NOW if gone else GONE_BY, by=by, removed=note.removed.get("log"))

    def _of_notice(self, user_id: str, note: ErasureNote) -> ErasedFrom:
        """The record that tells every projection of the erasure is the last that names the person."""
        there = [record for _, record in self.log.read(note.offset - 1, 1)]
        if UserErased(user_id=user_id) not in there:
            return ErasedFrom(store="notice in the log", state=GONE_NOW)
        by = "the writer, a minute after Neo4j and every other projection have followed it"
        return ErasedFrom(store="notice in the log", state=GONE_BY, by=by)

    def _of_other_processes(self, note: ErasureNote) -> ErasedFrom:
        followed = note.at + FOLLOWED_MS
        name = "profiles of other processes"
        if self.now_ms() >= followed:
            return ErasedFrom(store=name, state=GONE_NOW)
        return ErasedFrom(store=name, state=GONE_BY, by=iso_time(followed))

    def _of_redis(self, note: ErasureNote) -> list[ErasedFrom]:
        if self.shared is None:
            return []
        state = self.shared.look()
        if state.ok and state.offset >= note.offset:
            return [ErasedFrom(store="redis", state=GONE_NOW)]
        by = f"the writer, when it has brought Redis up to record {note.offset} of the log"
        return [ErasedFrom(store="redis", state=GONE_BY, by=by)]

    def _of_graph(self, user_id: str, note: ErasureNote) -> list[ErasedFrom]:
        """What Neo4j itself says now."""
        if self.graph is None:
            return []
        removed = note.removed.get("graph")
        by = f"the writer, when it has brought Neo4j up to record {note.offset} of the log"
        try:
            if self.graph.writer_offset() >= note.offset and self._counted(self.graph, {user_id}) == (0, 0):
                return [ErasedFrom(store="graph", state=GONE_NOW, removed=removed)]
        except ServerError as error:
            by = f"{by}; now: {error.message}"
        return [ErasedFrom(store="graph", state=GONE_BY, by=by, removed=removed)]
