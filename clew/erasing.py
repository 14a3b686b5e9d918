"""Where this home holds something of people beside log, profiles and graph, and the one who erases them from it all."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import msgspec

from clew.settings import Settings
from domain.errors import NotFound
from embeddings.scrub import scrub_models
from graph.snapshot import scrub_cache
from graph.store import GraphStore
from ingest.log_contract import DurableLog
from ingest.log_erasure import persons_in
from ingest.receipts import Receipts
from ingest.report import scrub_rejected
from recommend.erasure import Eraser, PeopleGraph, Redis, Store
from recommend.ledger import Ledger
from recommend.world import World

ALL_ANSWERS = 1_000_000
PAGE = 20_000  # users asked for at once
logger = logging.getLogger("clew.erasing")


def eraser_of(
    settings: Settings, log: DurableLog, world: World, graph: PeopleGraph, shared: Redis | None, ledger: Ledger | None
) -> Eraser:
    """Closing its receipts is left to the caller."""
    stores: tuple[Store, ...] = (Answers(ledger),) if ledger else ()
    return Eraser(
        log, world, graph, shared, (*stores, *files_of(settings, log)), Receipts(settings.home / "erasures.db")
    )


def scrub_home(settings: Settings, log: DurableLog) -> None:
    """Takes everybody who was ever erased, here or on another machine, out of the files. Twice equals once.

    Do it before a model or a snapshot is loaded: it may be older than an erasure. Raises: DiskFull; LogError.
    """
    for store in files_of(settings, log):
        store.forget(())


def recall_erasures(settings: Settings, log: DurableLog) -> int:
    """Erases again whom this home erased and the log does not know of: it was begun anew, or is one of a backup.

    Returns how many they were. Raises: LogError.
    """
    receipts = Receipts(settings.home / "erasures.db")
    try:
        if receipts.newest_offset() <= log.last_offset():
            return 0
        forgotten = [user_id for user_id in sorted(people_in(log)) if erased_before(user_id, log, receipts)]
        for user_id in forgotten:
            erase_again(user_id, log, receipts)
        if forgotten:
            logger.warning("%d people were erased here before the log %s was made; again", len(forgotten), log.where)
        return len(forgotten)
    finally:
        receipts.close()


def people_in(log: DurableLog) -> set[str]:
    """Everybody whom a record of the log is about or names."""
    found, offset = set[str](), 0
    while records := log.read(offset):
        found.update(person for _, record in records for person in persons_in(record))
        offset = records[-1][0]
    return found


def erased_before(user_id: str, log: DurableLog, receipts: Receipts) -> bool:
    """Whether this home erased somebody of whose erasure the log does not know."""
    return receipts.find(user_id) is not None and not log.is_erased(user_id)


def erase_again(user_id: str, log: DurableLog, receipts: Receipts) -> None:
    """For somebody who was erased before. The receipt then tells of the new record."""
    note = receipts.find(user_id)
    offset = log.erase_user(user_id)
    if note is not None:
        receipts.write(user_id, msgspec.structs.replace(note, offset=offset))


def expel_erased(log: DurableLog, store: GraphStore, fence: int | None) -> int:
    """Takes everybody out of the graph who was ever erased: it may be one of a backup, older than an erasure.

    Every user is looked at, a second for 100,000 or less, as the log knows only hashes of the erased; none while nobody
    was. Returns how many they were. Raises: GraphUnavailable, GraphRefused, WriterReplaced; LogError.
    """
    if not log.has_erased():
        return 0
    after, found = "", 0
    while page := store.user_ids(after, PAGE):
        gone = log.erased_among(page)
        if gone:
            store.expel_users(sorted(gone), fence=fence)
        after, found = page[-1], found + len(gone)
    if found:
        logger.warning("%d people were erased before this graph was brought back; they are taken out again", found)
    return found


def files_of(settings: Settings, log: DurableLog) -> "tuple[Files, ...]":
    return (
        Files("models", lambda: scrub_models(settings.models_dir, log.erased_among)),
        Files("snapshots", lambda: scrub_cache(settings.cache_dir, log.erased_among)),
        Files("rejected rows", lambda: scrub_rejected(settings.rejected_file, log.erased_among)),
    )


@dataclass(frozen=True)
class Files:
    """A Store of files that are scrubbed of all who have a tombstone. What they tell of a person, the profile has."""

    name: str
    scrub: Callable[[], int]

    def export(self, people: Collection[str]) -> Sequence[object]:  # noqa: ARG002 - as the class says
        return ()

    def forget(self, people: Collection[str]) -> int:  # noqa: ARG002 - as the class says
        return self.scrub()


@dataclass(frozen=True)
class Answers:
    """The Store of what was recommended to a person."""

    ledger: Ledger
    name: str = "answers"

    def export(self, people: Collection[str]) -> Sequence[object]:
        found = list[object]()
        for user_id in sorted(people):
            for line in self.ledger.newest(ALL_ANSWERS, user_id):
                try:
                    found.append(self.ledger.get(line.recommendation_id, _unnamed))
                except NotFound:  # it made room for others meanwhile
                    continue
        return found

    def forget(self, people: Collection[str]) -> int:
        return sum(self.ledger.forget(user_id) for user_id in people)


def _unnamed(_: str) -> None:
    """Items are told by their ids: names are the shop's, and may have changed since."""
