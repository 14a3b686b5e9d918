"""Where this home holds something of people beside log, profiles and graph, and the one who erases them from it all."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from clew.settings import Settings
from domain.errors import NotFound
from embeddings.scrub import scrub_models
from graph.snapshot import scrub_cache
from ingest.log_contract import DurableLog
from ingest.receipts import Receipts
from ingest.report import scrub_rejected
from recommend.erasure import Eraser, PeopleGraph, Redis, Store
from recommend.ledger import Ledger
from recommend.world import World

ALL_ANSWERS = 1_000_000


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
