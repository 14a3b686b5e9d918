"""Takes erased people out of the models on disk: the snapshot in each of them. Their weights hold no person's id."""

from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from domain.errors import DamagedArtifact
from domain.snapshot import load_snapshot, user_ids_in, without_people
from embeddings.artifact import all_versions, drop_other_snapshots, read_manifest, replace_snapshot

Erased = Callable[[Collection[str]], Collection[str]]


def scrub_models(models_dir: Path, erased: Erased) -> int:
    """Every version, also those that are held back. Twice equals once.

    erased: which of the ids are of people who were erased. Returns: how many events and relations were taken out.
    A damaged version stays as it is: it serves nobody, and the next training removes it.
    """
    removed = 0
    for version in all_versions(models_dir):
        with suppress(DamagedArtifact, OSError), FileLock(models_dir / ".scrub.lock"):
            removed += _scrub(models_dir / version, erased)
    return removed


def _scrub(folder: Path, erased: Erased) -> int:
    manifest = read_manifest(folder)
    file = folder / manifest.snapshot_file
    drop_other_snapshots(folder, file.name)
    gone = erased(user_ids_in(file))
    if not gone:
        return 0
    snapshot, removed = without_people(load_snapshot(file), gone)
    replace_snapshot(folder, manifest, snapshot)
    return removed
