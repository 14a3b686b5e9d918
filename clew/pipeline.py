"""The flow of Clew, one readable function per step: start the graph, load, snapshot, train, publish."""

import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec
from filelock import FileLock

from clew import lease
from clew.settings import Settings
from clew.wiring import connection_of, open_log, open_store
from domain.declarations import Declaration
from domain.errors import DamagedArtifact, NothingToTrain, TrainingFailed
from domain.progress import Progress
from domain.snapshot import Snapshot
from domain.tables import Dataset
from embeddings.artifact import (
    Artifact,
    Comparison,
    Manifest,
    all_versions,
    current_version,
    held_back,
    hold_back,
    load_artifact,
    read_manifest,
    switch_current,
)
from graph import home, offline, rdf, server
from graph.home import Connection
from graph.load import bulk_load, confirm_bulk_load
from graph.snapshot import take_snapshot
from graph.store import GraphStore
from ingest.erased_rows import without_erased
from ingest.report import LoadReport, RejectedLog, report
from ingest.sources import read_source

ENOUGH_NEW = 0.01  # a model is trained again when the graph has grown by this share


@dataclass(frozen=True)
class Trained:
    """A model on disk. comparison: with the one that serves."""

    version: str
    metrics: dict[str, float]
    seconds: float
    comparison: Comparison


def start_graph(settings: Settings, progress: Progress) -> Connection:
    """The embedded Neo4j, running; or the outside one of NEO4J_URI, when it answers and is new enough."""
    if not settings.neo4j_uri:
        return server.up(settings.server_config, progress)
    connection = connection_of(settings)
    with open_store(settings):
        return connection


def load_source(
    settings: Settings, name: str, path: Path | None, progress: Progress, *, mapping: Path | None = None
) -> LoadReport:
    """A source into the graph: through the offline importer when the embedded graph is empty, else in batches.

    Twice equals once, and an interrupted load is completed. Bad rows are counted in the report, and listed in its file.
    """
    started = time.perf_counter()
    with RejectedLog(settings.rejected_file) as rejected:
        dataset = read_source(name, path, rejected, cache_dir=settings.cache_dir, progress=progress, mapping=mapping)
    with open_log(settings) as log:
        dataset = without_erased(dataset, log.erased_among)
    load_dataset(settings, dataset, progress)
    return report(dataset, rejected, time.perf_counter() - started)


def export_rdf(
    settings: Settings, path: Path, progress: Progress, *, form: str | None, people: bool
) -> tuple[int, Path]:
    """The graph into a file of RDF. Returns: how many triples, and the mapping by which it is read again."""
    columns = snapshot(settings, progress)
    with progress.step(f"Writing {path.name}") as advance:
        return rdf.export_rdf(columns, path, advance, form=form, people=people)


def load_dataset(settings: Settings, dataset: Dataset, progress: Progress) -> None:
    """Has the graph hold the data set. The graph runs afterwards."""
    if may_import(settings, progress):
        _import(settings, dataset, progress)
        return
    start_graph(settings, progress)
    with open_store(settings) as store:
        if not store.is_loaded(dataset):
            store.load(dataset, progress)


def may_import(settings: Settings, progress: Progress) -> bool:
    """Whether the offline importer may replace the whole graph: it is ours, it is empty, and nobody serves from it.

    It is then stopped; or it was left half imported, or never started.
    """
    config = settings.server_config
    if settings.neo4j_uri or lease.is_held(settings.writer_lock):
        return False
    if not offline.import_incomplete(config) and home.started_before(config):
        server.up(config, progress)
        with open_store(settings) as store:
            if not store.is_empty():
                return False
    server.down(config)
    return True


def _import(settings: Settings, dataset: Dataset, progress: Progress) -> None:
    server.prepare(settings.server_config, progress)
    counts = bulk_load(settings.server_config, dataset, progress)
    server.up(settings.server_config, progress)
    with open_store(settings) as store:
        confirm_bulk_load(settings.server_config, store, dataset, counts, progress)


def snapshot(settings: Settings, progress: Progress) -> Snapshot:
    """The graph as columns; from the disk when nothing was written since the last time."""
    with open_store(settings) as store:
        return take_snapshot(store, settings.cache_dir, progress)


def train(
    settings: Settings,
    columns: Snapshot,
    progress: Progress,
    *,
    seed: int = 0,
    force: bool = False,
    tune: bool = False,
    budget_s: float | None = None,
    trials: int | None = None,
) -> Trained:
    """A model on disk that does not serve yet: `publish` is next. Needs the packages of the extra `train`.

    tune, budget_s, trials: see embeddings.train.
    Raises: NothingToTrain; WorseModel, and the version is on disk and held back (unless forced).
    """
    if not find_spec("torch"):
        raise TrainingFailed("training needs more packages: pip install 'clew[train]', where there is no `clew serve`")
    from embeddings.train import train as train_model  # torch: never imported where a server may run

    made = train_model(
        columns,
        settings.models_dir,
        seed=seed,
        force=force,
        progress=progress,
        tune=tune,
        budget_s=budget_s,
        trials=trials,
    )
    return Trained(made.version, dict(made.metrics), made.seconds, made.comparison)


def publish(settings: Settings, version: str, progress: Progress) -> None:
    """Writes the model's vectors into Neo4j, then makes it the one that serves. A kill in between loses nothing.

    One at a time: of two at once the later one counts, in Neo4j as on disk.
    """
    artifact = load_artifact(settings.models_dir, version)
    with FileLock(settings.models_dir / ".publish.lock"), open_store(settings) as store:
        write_back(store, artifact, progress)
        switch_current(settings.models_dir, version)


def roll_back(settings: Settings, version: str, progress: Progress) -> list[str]:
    """Publishes an earlier version. Gives the later ones, newest first, which are held back from now on."""
    current = current_version(settings.models_dir)
    publish(settings, version, progress)
    later = [name for name in all_versions(settings.models_dir) if name > version]
    for name in later:
        if held_back(settings.models_dir, name) is None:
            hold_back(settings.models_dir, name, f"replaced by {version}, to which {current} was rolled back")
    return later


def write_back(store: GraphStore, artifact: Artifact, progress: Progress) -> None:
    """The normalised encoder block of items and entities, with its version, for Cypher."""
    store.write_embeddings(
        artifact.version,
        artifact.snapshot.item_ids.tolist(),
        artifact.weights.item_vectors,
        artifact.snapshot.entity_ids.tolist(),
        artifact.weights.entity_vectors,
        artifact.manifest.metrics,
        progress,
    )


def is_trained_on(settings: Settings, columns: Snapshot) -> bool:
    """Whether the newest model on disk, held back or not, was trained on exactly this."""
    for version in all_versions(settings.models_dir):
        with suppress(DamagedArtifact):
            return read_manifest(settings.models_dir / version).snapshot_version == columns.version
    return False


def is_trained(settings: Settings, columns: Snapshot) -> bool:
    """Whether the model that serves knows this graph, but for a handful of new rows: those are used all the same."""
    manifest = current_manifest(settings.models_dir)
    if manifest is None or manifest.declaration != columns.declaration.fingerprint:
        return False
    return manifest.snapshot_version == columns.version or all(
        abs(manifest.counts.get(name, 0) - count) <= ENOUGH_NEW * count for name, count in _counts(columns).items()
    )


def current_manifest(models_dir: Path) -> Manifest | None:
    """What the serving model is; None when there is none, or it is damaged."""
    version = current_version(models_dir)
    try:
        return read_manifest(models_dir / version) if version else None
    except DamagedArtifact:
        return None


def _counts(columns: Snapshot) -> dict[str, int]:
    return {
        "users": len(columns.user_ids),
        "items": len(columns.item_ids),
        "entities": len(columns.entity_ids),
        "interactions": len(columns.interactions),
    }


class _Note(msgspec.Struct, frozen=True):
    """What the last load of a demo put into the graph: it need not be read again while the graph says the same."""

    demo: str
    fingerprint: str


def demo_is_loaded(settings: Settings, name: str) -> bool:
    """Whether the graph, which runs, still holds exactly what the last `clew demo` of this name loaded."""
    try:
        note = msgspec.json.decode(_note_file(settings).read_bytes(), type=_Note)
    except (OSError, msgspec.MsgspecError):
        return False
    with open_store(settings) as store:
        state = store.load_state()
    return state is not None and state.state == "complete" and note == _Note(name, state.fingerprint)


def note_demo(settings: Settings, name: str) -> None:
    """Remembers that the load which the graph holds now is this demo's."""
    with open_store(settings) as store:
        state = store.load_state()
    if state is not None:
        _note_file(settings).parent.mkdir(parents=True, exist_ok=True)
        _note_file(settings).write_bytes(msgspec.json.encode(_Note(name, state.fingerprint)))


def _note_file(settings: Settings) -> Path:
    return settings.cache_dir / "demo.json"


def declaration(settings: Settings) -> Declaration:
    """What the graph declares. Raises: NothingToTrain when nothing was loaded."""
    with open_store(settings) as store:
        found = store.declaration()
    if found is None:
        raise NothingToTrain("the graph is empty; run `clew ingest` or `clew demo` first")
    return found
