"""A trained model on disk: models/<version>/ with weights.safetensors, snapshot.npz and manifest.json, and CURRENT.

The manifest names the snapshot's file, which is another one once an erased person was taken out of it.
A version is written under a temporary name, fsynced and renamed; then CURRENT, one line with the version, is replaced.
A version that must not serve by itself has a file HELD with the reason.
A process killed at any moment leaves the last good one in place. Loading maps the tensors into memory. No torch.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec
import numpy as np
from safetensors.numpy import save_file

from domain.errors import DamagedArtifact, NoModel
from domain.snapshot import Snapshot, load_snapshot, save_snapshot
from embeddings.weights import Array, Normalisation, Weights

FORMAT = 3
WEIGHTS, SNAPSHOT, MANIFEST, CURRENT = "weights.safetensors", "snapshot.npz", "manifest.json", "CURRENT"
HELD = "HELD"
KEPT_HELD = 1  # of the versions held back before the one that serves
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "BOOL": "?"}


class FileSum(msgspec.Struct, frozen=True, kw_only=True):
    size: int
    sha256: str


class Comparison(msgspec.Struct, frozen=True):
    """How a model compares with `served`, which served when it was made (None: nothing did).

    verdict: "as good", "worse" or "not compared"; text: the figures, or why there are none.
    """

    served: str | None
    verdict: str
    text: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the version is. Shapes, counts and metrics by name; log_offset: log records up to it are inside.

    comparison: None where the model was made to be looked at only.
    """

    format: int
    version: str
    created_at: str
    seed: int
    snapshot_version: str
    log_offset: int
    declaration: str
    counts: dict[str, int]
    metrics: dict[str, float]
    settings: dict[str, object]
    normalisation: Normalisation
    versions: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    files: dict[str, FileSum]
    comparison: Comparison | None = None

    @property
    def snapshot_file(self) -> str:
        """The name of the file that holds the snapshot."""
        return next(name for name in self.files if name != WEIGHTS)


@dataclass(frozen=True)
class Artifact:
    """A loaded version. The weights are read-only views of the mapped file."""

    path: Path
    manifest: Manifest
    weights: Weights
    snapshot: Snapshot

    @property
    def version(self) -> str:
        return self.manifest.version


def write_artifact(models_dir: Path, manifest: Manifest, weights: Weights, snapshot: Snapshot) -> Path:
    """Writes models_dir/<manifest.version>, complete or not at all, and does not switch to it. Returns its folder.

    The manifest's `files` and `shapes` are filled in here.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    folder = models_dir / manifest.version
    temporary = models_dir / f".{manifest.version}.part"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    arrays = {name: np.ascontiguousarray(array) for name, array in weights.arrays().items()}
    save_file(arrays, temporary / WEIGHTS)
    save_snapshot(snapshot, temporary / SNAPSHOT)
    sums = {name: _sum_of(temporary / name) for name in (WEIGHTS, SNAPSHOT)}
    shapes = {name: array.shape for name, array in arrays.items()}
    manifest = msgspec.structs.replace(manifest, files=sums, shapes=shapes)
    (temporary / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    for file in temporary.iterdir():
        _sync(file)
    _sync(temporary)
    temporary.replace(folder)
    _sync(models_dir)
    return folder


def switch_current(models_dir: Path, version: str, *, keep: int = 3) -> None:
    """Makes `version` the one that serves, held back or not.

    Older versions beyond the `keep` newest, and broken writes, are removed; of those held back the newest stays.
    """
    (models_dir / version / HELD).unlink(missing_ok=True)
    temporary = models_dir / f".{CURRENT}.part"
    temporary.write_text(version + "\n")
    _sync(temporary)
    temporary.replace(models_dir / CURRENT)
    _sync(models_dir)
    held = [old for old in all_versions(models_dir) if old < version and (models_dir / old / HELD).exists()]
    for old in (*_older(models_dir, version)[max(0, keep - 1) :], *held[KEPT_HELD:]):
        shutil.rmtree(models_dir / old, ignore_errors=True)
    for part in models_dir.glob(".*.part"):
        shutil.rmtree(part, ignore_errors=True)


def current_version(models_dir: Path) -> str | None:
    """The version that CURRENT names; None when nothing was published."""
    try:
        return (models_dir / CURRENT).read_text().strip() or None
    except FileNotFoundError:
        return None


def load_artifact(models_dir: Path, version: str | None = None) -> Artifact:
    """The given version, or the current one.

    Raises: NoModel when there is none; DamagedArtifact, with the file's name, when a file is missing, is not what the
    manifest says, or is of another format.
    """
    version = version or current_version(models_dir)
    if version is None:
        raise NoModel("no model has been trained yet; run `clew train`")
    folder = models_dir / version
    manifest = read_manifest(folder)
    try:
        return _loaded(folder, manifest)
    except DamagedArtifact:
        newer = read_manifest(folder)
        if newer == manifest:
            raise
        return _loaded(folder, newer)  # somebody was erased from it meanwhile


def _loaded(folder: Path, manifest: Manifest) -> Artifact:
    for name, expected in manifest.files.items():
        _check(folder / name, expected)
    arrays = _map_tensors(folder / WEIGHTS)
    try:
        weights = Weights.of_arrays(arrays)
        snapshot = load_snapshot(folder / manifest.snapshot_file)
    except (TypeError, KeyError, ValueError, OSError) as error:
        raise _damaged(folder, f"cannot be read: {error}") from error
    return Artifact(folder, manifest, weights, snapshot)


def replace_snapshot(folder: Path, manifest: Manifest, snapshot: Snapshot) -> None:
    """Gives the version in the folder another snapshot, and leaves no other behind. A kill in between damages nothing.

    Readers see the old one or the new one: the manifest, which names the file, is replaced as a whole.
    """
    numbers = [int(one.stem[9:]) for one in folder.glob("snapshot-*.npz") if one.stem[9:].isdigit()]
    number = max(numbers, default=0) + 1
    file = folder / f"snapshot-{number}.npz"
    save_snapshot(snapshot, file)
    _sync(file)
    files = {WEIGHTS: manifest.files[WEIGHTS], file.name: _sum_of(file)}
    temporary = folder / f".{MANIFEST}.part"
    text = msgspec.json.encode(msgspec.structs.replace(manifest, files=files))
    temporary.write_bytes(msgspec.json.format(text, indent=2))
    _sync(temporary)
    temporary.replace(folder / MANIFEST)
    _sync(folder)
    drop_other_snapshots(folder, file.name)


def drop_other_snapshots(folder: Path, kept: str) -> None:
    """Removes what an interrupted `replace_snapshot` may have left."""
    for other in folder.glob("snapshot*.npz*"):
        if other.name != kept:
            other.unlink(missing_ok=True)


def load_current(models_dir: Path) -> tuple[Artifact | None, list[DamagedArtifact]]:
    """The current version, or the newest good one before it, and what was wrong with those passed over.

    (None, []) when nothing was published; (None, errors) when no version is whole.
    """
    version = current_version(models_dir)
    damaged: list[DamagedArtifact] = []
    if version is None:
        return None, damaged
    for candidate in (version, *_older(models_dir, version)):
        try:
            return load_artifact(models_dir, candidate), damaged
        except DamagedArtifact as error:
            damaged.append(error)
    return None, damaged


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the version in this folder.

    Raises: DamagedArtifact when it is missing, unreadable, or of another format.
    """
    file = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise _damaged(file, "is missing") from error
    except (msgspec.DecodeError, OSError) as error:
        raise _damaged(file, f"cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise _damaged(file, f"has format {manifest.format}, this program reads {FORMAT}")
    if WEIGHTS not in manifest.files or len(manifest.files) != 2:
        raise _damaged(file, "does not name the files of a model")
    return manifest


def all_versions(models_dir: Path) -> list[str]:
    """Every version on disk, newest first. Names begin with the time of training, so they sort by age."""
    if not models_dir.is_dir():
        return []
    names = (folder.name for folder in models_dir.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    return sorted(names, reverse=True)


def hold_back(models_dir: Path, version: str, why: str) -> None:
    """Has a version stay on disk and not serve, unless `switch_current` names it."""
    note = models_dir / version / HELD
    note.write_text(why + "\n")
    _sync(note)


def held_back(models_dir: Path, version: str) -> str | None:
    """Why the version is held back; None when it is not."""
    try:
        return (models_dir / version / HELD).read_text().strip()
    except FileNotFoundError:
        return None


def _older(models_dir: Path, version: str) -> list[str]:
    """Versions before this one that may serve, newest first."""
    return [name for name in all_versions(models_dir) if name < version and held_back(models_dir, name) is None]


def _check(file: Path, expected: FileSum) -> None:
    if not file.is_file():
        raise _damaged(file, "is missing")
    if file.stat().st_size != expected.size:
        raise _damaged(file, f"has {file.stat().st_size} bytes, the manifest says {expected.size}")
    if _sum_of(file) != expected:
        raise _damaged(file, "has another sha256 than the manifest says")


def _sum_of(file: Path) -> FileSum:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileSum(size=file.stat().st_size, sha256=digest)


def _map_tensors(file: Path) -> dict[str, Array]:
    """Views of a safetensors file: 8 bytes with the length of a JSON header, the header, the tensors' bytes.

    safetensors' own NumPy reader copies; processes that map the file share its pages.
    """
    mapped = np.memmap(file, dtype=np.uint8, mode="r")
    length = int.from_bytes(mapped[:8].tobytes(), "little")
    header = cast("dict[str, dict[str, list[int] | str]]", json.loads(mapped[8 : 8 + length].tobytes()))
    arrays: dict[str, Array] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + int(offset) for offset in entry["data_offsets"])
        view = np.asarray(mapped[begin:end]).view(_DTYPES[str(entry["dtype"])])
        arrays[name] = view.reshape(tuple(int(size) for size in entry["shape"]))
    return arrays


def _damaged(file: Path, what: str) -> DamagedArtifact:
    return DamagedArtifact(f"{file.parent.name}/{file.name} {what}; train again with `clew train`")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
