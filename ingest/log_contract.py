"""What every implementation of the durable log does, and what it answers. They are ingest.log and ingest.kafka_log."""

from collections.abc import Collection, Sequence
from typing import Protocol, Self

import msgspec

from domain.records import Record

MAX_DEAD = 100_000


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What became of one record.

    code: "accepted"; "duplicated" (this event id came before with the same content; offset is the first one's);
        "event_id_conflict" (it came before with other content); "erased_user" (the person was erased, and stays so).
    """

    offset: int | None
    code: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is put aside: rejected, or held until something is there.

    payload: the event as it was sent, whatever JSON can say.
    waits_for: "item:ID" or "user:ID" of a held event; None: rejected. Held events are never dropped for space.
    """

    payload: object
    code: str
    message: str
    waits_for: str | None = None

    @property
    def user_id(self) -> str | None:
        """Whom it is about, as far as one can tell."""
        person: object = self.payload.get("user_id") if isinstance(self.payload, dict) else None
        return str(person) if isinstance(person, str | int) and not isinstance(person, bool) else None


class DeadLetter(Letter, frozen=True, kw_only=True):
    """A letter that is kept. buried_at: milliseconds since 1970 UTC. Numbers rise and are never used again."""

    number: int
    buried_at: int


class DurableLog(Protocol):
    """The log. Safe to use from many threads of many processes at once.

    Raises (any method): LogError or one below it; then nothing of the call is promised to have been done.
    """

    @property
    def where(self) -> str:
        """The log's address, as a person reads it."""
        ...

    @property
    def erasure(self) -> str:
        """When what it holds of an erased person is gone."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None:
        """A second call does nothing."""
        ...

    def append(self, records: Sequence[Record], *, server_timed: Collection[int] = ()) -> list[Verdict]:
        """Writes the records durably, and says what became of each: (len(records),) verdicts.

        server_timed: places of events whose `at` the server made up; it plays no part in telling a repetition from a
            conflict, so that a client may send an event without a time twice.
        """
        ...

    def read(self, after: int, limit: int = 10_000) -> list[tuple[int, Record]]:
        """Up to `limit` records with an offset above `after`, oldest first. Offsets rise and may have gaps.

        Fewer than `limit` means that there was nothing more up to the `last_offset` of before the call.
        """
        ...

    def last_offset(self) -> int:
        """The offset of the newest record ever written, 0 for none. Costs microseconds: ask on every request."""
        ...

    def skip_to(self, offset: int) -> bool:
        """Has the next record come after this offset, which was seen before, so that none ever means two records.

        Returns: whether the log was behind: it was restored from an older copy, or begun anew.
        """
        ...

    def bury(self, letters: Sequence[Letter]) -> None:
        """Keeps the letters, in their order; those of erased people are not kept. The oldest rejected ones may go."""
        ...

    def dead(self, limit: int = 100, *, waits_for: str | None = None) -> list[DeadLetter]:
        """The newest letters, newest first; with waits_for, only those that are held for it."""
        ...

    def awaited(self) -> set[str]:
        """What the held letters wait for. Costs microseconds where none is held; on Kafka as of the last look."""
        ...

    def unbury(self, numbers: Collection[int]) -> None:
        """Forgets letters that were dealt with. Unknown numbers are no error."""
        ...

    def dead_counts(self) -> dict[str, int]:
        """How many letters are kept, by code; "dropped": how many went because there were too many."""
        ...

    def erase_user(self, user_id: str) -> int:
        """Takes out what the log holds of a person and refuses them from now on. Returns the UserErased's offset.

        So it goes with every visitor who turned out to be this person; their UserErased records come before the
        person's, for who has read of a visitor's events and not of the merge. What stays: a keyed hash of each id, and
        the UserErased records that tell the projections, until `forget_erasures`. Twice equals once.
        """
        ...

    def forget_erasures(self, up_to: int) -> None:
        """Takes out the UserErased records at or below an offset that every projection and model has passed."""
        ...

    def is_erased(self, user_id: str) -> bool: ...

    def erased_among(self, user_ids: Collection[str]) -> set[str]:
        """Those of the people who were erased. Costs next to nothing while nobody ever was."""
        ...

    def has_erased(self) -> bool:
        """Whether anybody was ever erased. Whom is not known: there are keyed hashes only."""
        ...
