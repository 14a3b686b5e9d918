"""The graph as columns, taken once per version of the graph and kept on disk."""

import zipfile
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import msgspec

from domain.errors import NothingToTrain
from domain.progress import Progress
from domain.snapshot import Snapshot, load_snapshot, save_snapshot, user_ids_in, without_people
from graph.export import export
from graph.store import GraphStore

TRIES = 3  # a graph that is written to while it is read is read again


class _Cached(msgspec.Struct, frozen=True):
    """What the note beside the snapshots says: the version of the graph, and the file that holds it."""

    graph_version: str
    file: str


def take_snapshot(store: GraphStore, cache_dir: Path, progress: Progress) -> Snapshot:
    """The graph as it is now; from the disk when nothing was written since the last time.

    An unchanged graph gives an equal snapshot, and equal content an equal `version`. Two files are kept at most.
    The writer waits meanwhile: the snapshot holds the records of the log up to its log_offset, and none after.
    Raises: NothingToTrain when the graph declares nothing.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    cached = _read_cache(cache_dir, store.graph_version())
    if cached is not None:
        return cached
    declaration = store.declaration()
    if declaration is None:
        raise NothingToTrain("the graph is empty; load a data set first (`clew ingest` or `clew demo`)")
    with store.writer_paused() as offset:
        version, snapshot = store.graph_version(), export(store, declaration, offset, progress)
        for _ in range(TRIES - 1):
            if store.graph_version() == version:
                break
            version, snapshot = store.graph_version(), export(store, declaration, offset, progress)
        state = store.load_state()
    snapshot = replace(snapshot, epoch=state.fingerprint if state else "")
    _write_cache(cache_dir, version, snapshot)
    return snapshot


def newest_snapshot(cache_dir: Path) -> Snapshot | None:
    """The last snapshot that was taken, whatever was written since; None without one."""
    return _read_cache(cache_dir, None)


def _read_cache(cache_dir: Path, graph_version: str | None) -> Snapshot | None:
    """The snapshot of this version of the graph, of any for None. None: there is none, or its file is damaged."""
    try:
        note = msgspec.json.decode((cache_dir / "snapshot.json").read_bytes(), type=_Cached)
        return load_snapshot(cache_dir / note.file) if graph_version in (None, note.graph_version) else None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):  # msgspec's errors are ValueErrors
        return None


def _write_cache(cache_dir: Path, graph_version: str, snapshot: Snapshot) -> None:
    """The snapshot, then the note that names it, each whole or not at all; all but the previous file go."""
    path = cache_dir / f"snapshot-{snapshot.version}.npz"
    others = [file for file in cache_dir.glob("snapshot-*.npz") if file != path]
    others.sort(key=lambda file: file.stat().st_mtime_ns)
    save_snapshot(snapshot, path)
    note = cache_dir / "snapshot.json"
    temporary = note.with_suffix(".part")
    temporary.write_bytes(msgspec.json.encode(_Cached(graph_version, path.name)))
    temporary.replace(note)
    for file in others[:-1]:
        file.unlink(missing_ok=True)


def scrub_cache(cache_dir: Path, erased: Callable[[Collection[str]], Collection[str]]) -> int:
    """Takes erased people out of the snapshots on disk; one that cannot be read is removed. Twice equals once.

    Returns: how many events and relations were taken out.
    """
    removed = 0
    for file in cache_dir.glob("snapshot-*.npz"):
        try:
            gone = erased(user_ids_in(file))
            if gone:
                snapshot, count = without_people(load_snapshot(file), gone)
                save_snapshot(snapshot, file)
                removed += count
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            file.unlink(missing_ok=True)
    return removed
