"""The writer: drains the log into Neo4j, batch by batch, and waits while Neo4j is away.

A batch and its offset are one transaction, so that a writer killed at any moment goes on where it was.
"""

import logging
import threading
from typing import Protocol

from domain.declarations import COMMON_EVENT_KINDS, Declaration
from domain.errors import ServerError
from graph.store import GraphStore
from ingest.log import Log

BATCH = 20_000
IDLE_S = 0.2
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0
DEFAULT = Declaration(name="default", event_kinds=COMMON_EVENT_KINDS)
logger = logging.getLogger("clew.writer")


class StoreSource(Protocol):
    """Gives a connected store. Raises: GraphUnavailable."""

    def store(self) -> GraphStore: ...


def drain(log: Log, graph: StoreSource, stop: threading.Event) -> None:
    """Until `stop` is set: log -> Neo4j. While Neo4j is away, or refuses, it waits longer and longer, up to 15 s.

    Raises: LogError. What Neo4j says is logged, once per trouble, and the batch is tried again.
    """
    wait_s = FIRST_WAIT_S
    while not stop.is_set():
        try:
            drain_once(log, graph.store())
        except ServerError as error:
            if wait_s == FIRST_WAIT_S:
                logger.warning("not written to Neo4j, trying again: %s", error.message)
            stop.wait(wait_s)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            continue
        if wait_s > FIRST_WAIT_S:
            logger.info("Neo4j takes records again")
        wait_s = FIRST_WAIT_S
        stop.wait(IDLE_S)


def drain_once(log: Log, store: GraphStore) -> int:
    """Everything that is in the log now. Returns the number of records written.

    Raises: GraphUnavailable, GraphRefused; LogError.
    """
    offset, written = store.writer_offset(), 0
    while records := log.read(offset, BATCH):
        if written == 0 and store.declaration() is None:
            store.install_schema(DEFAULT)  # a shop may begin with events, before it loads a catalogue
        store.apply(records)
        offset, written = records[-1][0], written + len(records)
    return written
