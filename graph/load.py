"""The first load of an empty embedded graph, through Neo4j's offline importer.

    counts = bulk_load(config, dataset, progress)                    # the server is stopped
    ... up(config), a GraphStore on it ...
    confirm_bulk_load(config, store, dataset, counts, progress)      # checked, indexed, marked as complete

Until it is confirmed, `offline.import_incomplete(config)` is true, and calling bulk_load again begins anew.
"""

import shutil
from pathlib import Path

from domain.errors import LoadInterrupted
from domain.progress import Progress
from domain.tables import Dataset
from graph import offline
from graph.csv_files import write_files
from graph.home import ServerConfig
from graph.online import counts_of
from graph.store import GraphStore


def bulk_load(config: ServerConfig, dataset: Dataset, progress: Progress) -> dict[str, int]:
    """Replaces the whole database by the data set; to be called for an empty graph or an unconfirmed import only.

    Returns: how much was imported, by kind; equal event ids and equal pairs count once.
    Raises: ServerBusy while the server runs; StartFailed when the importer fails.
    """
    interrupted = offline.import_incomplete(config)
    offline.begin_import(config)
    if interrupted:
        offline.wipe(config)
    folder = _empty_folder(config)
    try:
        files = write_files(dataset, folder, progress)
        with progress.step("Importing into Neo4j"):
            offline.import_csv(config, files.nodes, files.relationships)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {**counts_of(dataset), "relations": files.relations, "events": files.events}


def confirm_bulk_load(
    config: ServerConfig, store: GraphStore, dataset: Dataset, counts: dict[str, int], progress: Progress
) -> None:
    """Checks the graph against bulk_load's counts, makes constraints and indexes, confirms the import. The server runs.

    Raises: LoadInterrupted when the graph does not hold what was imported.
    """
    found = store.counts()
    wanted = {name: counts[name] for name in ("users", "items", "entities", "events")}
    wanted["relationships"] = counts["relations"] + counts["events"]
    if found != wanted:
        raise LoadInterrupted(f"the graph holds {found} and should hold {wanted}; run the same command again")
    with progress.step("Making constraints and indexes"):
        store.install_schema(dataset.declaration)
    store.mark_load(dataset, "complete")
    offline.finish_import(config)


def _empty_folder(config: ServerConfig) -> Path:
    """A folder in the home, on the same disk as the database; a killed import may have left its files there."""
    folder = config.folder / "to-import"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder
