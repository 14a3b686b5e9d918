"""Whose turn it is to write a partition of the log into the graph, and how far it has come: a note in the graph itself.

A writer that begins takes a turn and gets its fence, a number that only rises. Every transaction checks it, so that a
writer whose turn was taken by another, wherever it runs, writes nothing more.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import cast

import msgspec

from cypher import statement
from domain.errors import WriterReplaced
from domain.records import Record, UserErased
from graph.driver import Driver, Transaction
from graph.schema import read_marker

ERASURE = "erasure"
GAP = "gap"


@dataclass(frozen=True)
class Place:
    """How far a partition is written: the offset of the last record, and a digest of what that record says."""

    partition: str
    offset: int
    digest: str

    @classmethod
    def at(cls, partition: str, offset: int, record: Record) -> "Place":
        return cls(partition, offset, digest_of(record))

    def as_marker(self) -> dict[str, object]:
        return {"id": writer_id(self.partition), "properties": {"offset": self.offset, "digest": self.digest}}


@dataclass(frozen=True)
class Turn:
    """A writer's turn. taken: False when it is another's. fence: of whoever has it, as offset and holder are."""

    taken: bool
    holder: str
    fence: int
    offset: int


def writer_id(partition: str) -> str:
    """The id of the note that holds a partition's place."""
    return f"writer:{partition}"


def digest_of(record: Record) -> str:
    """Sixteen hexadecimal digits of what a record says; of an erasure, nothing of whom."""
    if isinstance(record, UserErased):
        return ERASURE
    return blake2b(msgspec.json.encode(record), digest_size=8).hexdigest()


def read_place(driver: Driver, partition: str) -> Place:
    """How far the partition is written; offset 0 when nothing is."""
    marker = read_marker(driver, writer_id(partition)) or {}
    return Place(partition, cast(int, marker.get("offset", 0)), str(marker.get("digest", "")))


def take(driver: Driver, partition: str, holder: str, stalled: Turn | None) -> Turn:
    """Takes the turn where nobody has it, or the holder itself had it, or that of one that is stalled exactly there."""
    parameters: dict[str, object] = {
        "id": writer_id(partition),
        "holder": holder,
        "stalled_fence": stalled.fence if stalled else None,
        "stalled_offset": stalled.offset if stalled else None,
    }
    (row,) = driver.run(statement("write/take_writer"), parameters)
    return msgspec.convert(row, Turn)


def leave(driver: Driver, partition: str, fence: int) -> None:
    """Ends a turn; one that is over already stays as it is."""
    driver.run(statement("write/leave_writer"), {"id": writer_id(partition), "fence": fence})


def rewind(driver: Driver, partition: str, fence: int) -> None:
    """Has the partition be written again from its beginning. Raises: WriterReplaced."""

    def work(transaction: Transaction) -> None:
        claim(transaction, partition, fence)
        transaction.run(statement("write/marker"), Place(partition, 0, "").as_marker())

    driver.write(work)


def claim(transaction: Transaction, partition: str, fence: int | None) -> int:
    """Locks the partition's note until the end of the transaction, and gives its offset.

    Raises: WriterReplaced when the turn of this fence is over.
    """
    (row,) = transaction.run(statement("write/claim_writer"), {"id": writer_id(partition)})
    if fence is not None and row["fence"] != fence:
        raise WriterReplaced("another writer drains into this graph now; this one stands by")
    return cast(int, row["offset"])


@contextmanager
def writer_paused(driver: Driver, partition: str) -> Generator[int]:
    """Keeps the partition's writer waiting until the end of the block. Gives the offset of its last record."""
    with driver.held() as transaction:
        yield claim(transaction, partition, None)
