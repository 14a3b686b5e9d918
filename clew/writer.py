"""The writer: drains the log into Neo4j, batch by batch, and waits while Neo4j is away.

A batch and its offset are one transaction, so that a writer killed at any moment goes on where it was. One writer at a
time has its turn, by a note in the graph; others stand by, and take over when it no longer moves.
A record that Neo4j refuses is put aside with the reason, and what came with it is written.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from clew.erasing import expel_erased
from domain.declarations import COMMON_EVENT_KINDS, Declaration
from domain.errors import BatchTooLarge, GraphRefused, RecordRefused, ServerError, WriterReplaced
from domain.records import Record
from graph.store import GraphStore
from graph.turns import ERASURE, GAP, Turn, digest_of
from ingest.log_contract import DurableLog, Letter

BATCH = 20_000
IDLE_S = 0.2
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0
STALLED_S = 10.0  # a turn that does not move for so long while records wait is taken over
DEFAULT = Declaration(name="default", event_kinds=COMMON_EVENT_KINDS)
logger = logging.getLogger("clew.writer")


class StoreSource(Protocol):
    """Gives a connected store. Raises: GraphUnavailable."""

    def store(self) -> GraphStore: ...


def drain(
    log: DurableLog,
    graph: StoreSource,
    stop: threading.Event,
    *,
    holder: str,
    drained: Callable[[int], None] | None = None,
) -> None:
    """Until `stop` is set: log -> Neo4j. While Neo4j is away, or refuses, it waits longer and longer, up to 15 s.

    holder: names this writer among those of the same graph. drained: told, again and again, up to where Neo4j is.
    Raises: LogError. What Neo4j says is logged, once per trouble, and the batch is tried again.
    """
    wait_s, turns = FIRST_WAIT_S, Turns(log, holder)
    while not stop.is_set():
        try:
            store = graph.store()
            if turns.mine(store):
                drain_once(log, store, fence=turns.fence)
                if drained is not None:
                    drained(store.writer_offset())
        except WriterReplaced as error:
            logger.warning(error.message)
            turns.lost()
        except ServerError as error:
            if wait_s == FIRST_WAIT_S:
                logger.warning("not written to Neo4j, trying again: %s", error.message)
            turns.lost()  # the graph may come back as another one
            stop.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            continue
        if wait_s > FIRST_WAIT_S:
            logger.info("Neo4j takes records again")
        wait_s = FIRST_WAIT_S
        stop.wait(IDLE_S)
    turns.leave(graph)


def drain_once(log: DurableLog, store: GraphStore, *, fence: int | None = None) -> int:
    """Everything that is in the log now. Returns the number of records written or put aside.

    Raises: GraphUnavailable, GraphRefused, WriterReplaced; LogError.
    """
    offset, written, newest = store.writer_offset(), 0, log.last_offset()
    while records := log.read(offset, BATCH):
        if written == 0 and store.declaration() is None:
            store.install_schema(DEFAULT)  # a shop may begin with events, before it loads a catalogue
        write(log, store, records, fence)
        offset, written = records[-1][0], written + len(records)
    if offset < newest and store.declaration() is not None:
        store.pass_gap(newest, fence=fence)
    return written


def write(log: DurableLog, store: GraphStore, records: Sequence[tuple[int, Record]], fence: int | None) -> None:
    """Writes a batch; where Neo4j refuses it, its halves, down to the one record at fault, which is put aside."""
    try:
        store.apply(records, fence=fence)
    except (RecordRefused, BatchTooLarge) as error:
        if len(records) > 1:
            middle = len(records) // 2
            write(log, store, records[:middle], fence)
            write(log, store, records[middle:], fence)
        elif isinstance(error, RecordRefused):
            _put_aside(log, store, *records[0], error, fence)
        else:
            raise


class Turns:
    """Whether it is this writer's turn, as the note in the graph says."""

    def __init__(self, log: DurableLog, holder: str) -> None:
        self._log = log
        self._holder = holder
        self._turn: Turn | None = None  # mine, or the other's as it was seen first
        self._since = 0.0
        self._newest = 0  # of the log, when it was last looked at

    @property
    def fence(self) -> int | None:
        return self._turn.fence if self._turn and self._turn.taken else None

    def mine(self, store: GraphStore) -> bool:
        """Whether to write now; takes the turn where that may be. Raises: GraphUnavailable, GraphRefused, LogError."""
        newest = self._log.last_offset()
        if self._turn is None or not self._turn.taken:
            self._take(store)
        elif newest < self._newest:  # the file was exchanged under way
            self._check_place(store)
        self._newest = newest
        return self._turn is not None and self._turn.taken

    def lost(self) -> None:
        self._turn = None

    def leave(self, graph: StoreSource) -> None:
        """Gives the turn back, where Neo4j is there to be told."""
        if self.fence is None:
            return
        try:
            graph.store().leave_turn(self.fence)
        except ServerError as error:
            logger.info("the turn was not given back: %s", error.message)

    def _take(self, store: GraphStore) -> None:
        seen = store.take_turn(self._holder, stalled=self._stalled())
        if seen.taken:
            self._turn = seen
            self._check_place(store)
            expel_erased(self._log, store, seen.fence)
        elif self._turn is None or (seen.fence, seen.offset) != (self._turn.fence, self._turn.offset):
            if self._turn is None:
                logger.info("the writer %s drains into this graph; standing by", seen.holder)
            self._turn, self._since = seen, time.monotonic()

    def _stalled(self) -> Turn | None:
        """The other's turn, when it has not moved for a while although records wait."""
        if self._turn is None or time.monotonic() - self._since < STALLED_S:
            return None
        return self._turn if self._log.last_offset() > self._turn.offset else None

    def _check_place(self, store: GraphStore) -> None:
        """Begins again when the log is not the one that was written up to here: it was restored, cut, or begun anew.

        Then offsets say nothing, and records that are acknowledged would be passed over. What is in the graph already
        counts once, so that beginning again costs time and nothing else.
        """
        place = store.writer_place()
        if place.offset == 0 or not place.digest or self.fence is None:
            return
        if place.digest in (ERASURE, GAP) and self._log.last_offset() >= place.offset:
            return  # the erasure may be forgotten by now
        last = self._log.read(place.offset - 1, 1)
        if last and last[0][0] == place.offset and digest_of(last[0][1]) == place.digest:
            return
        logger.warning(
            "record %d, the last in Neo4j, is not in the log %s as it was written: the log was restored, cut or begun "
            "anew, or its person was erased; all of it is written again",
            place.offset,
            self._log.where,
        )
        store.rewind_writer(self.fence)
        self._log.skip_to(place.offset)


def _put_aside(
    log: DurableLog, store: GraphStore, offset: int, record: Record, error: GraphRefused, fence: int | None
) -> None:
    """Twice, should the writer die between the two steps, is no harm: the letter is there for a person to read."""
    logger.error("record %d is put aside: %s", offset, error.message)
    log.bury([Letter(payload=msgspec.to_builtins(record), code=error.code, message=error.message)])
    store.pass_over(offset, record, fence=fence)
