"""What was seen of the log before this process opened it: it may have been restored from an older copy since."""

import logging
from contextlib import suppress
from typing import Protocol

from clew.erasing import recall_erasures
from clew.settings import Settings
from domain.errors import DamagedArtifact, ServerError
from embeddings.artifact import current_version, read_manifest
from ingest.log_contract import DurableLog

logger = logging.getLogger("clew.log")


class Written(Protocol):
    """Tells how far the graph is. Raises: GraphUnavailable, GraphRefused."""

    def writer_offset(self) -> int: ...


def go_on_after_seen(settings: Settings, log: DurableLog, graph: Written) -> None:
    """Has the log's next record come after all that the model and Neo4j have seen; to be called before any is taken.

    New records would otherwise have offsets that those have passed, and be passed over. Whom this home erased since is
    erased again first: a log that has skipped no longer ends before those erasures, by which they are missed.
    """
    recall_erasures(settings, log)
    seen = 0
    version = current_version(settings.models_dir)
    if version is not None:
        with suppress(DamagedArtifact):
            seen = read_manifest(settings.models_dir / version).log_offset
    with suppress(ServerError):
        seen = max(seen, graph.writer_offset())
    if log.skip_to(seen):
        logger.warning(
            "the log %s ended before record %d, which was seen of it: it was restored from an older copy, or begun "
            "anew. What Neo4j holds stays, and counts once; what was acknowledged since that copy and is not in Neo4j "
            "has to be sent again",
            log.where,
            seen,
        )
