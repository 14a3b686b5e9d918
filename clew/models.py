"""The models on disk as a person chooses among them."""

from pathlib import Path

import msgspec

from domain.errors import DamagedArtifact, NoModel
from embeddings.artifact import all_versions, current_version, held_back, read_manifest
from embeddings.comparison import NDCG


class ModelOnDisk(msgspec.Struct, frozen=True):
    """state: "serves", "held back", "ready" (it may serve), "damaged". ndcg: on its own validation part.

    note: why it is held back or damaged, else how it compared with the model before.
    """

    version: str
    state: str
    created_at: str | None
    log_offset: int | None
    ndcg: float | None
    note: str | None


def on_disk(models_dir: Path) -> list[ModelOnDisk]:
    """Newest first."""
    current = current_version(models_dir)
    return [_look_at(models_dir, version, current) for version in all_versions(models_dir)]


def newest(models_dir: Path) -> ModelOnDisk | None:
    """The one trained last that can be read, whether it serves or not."""
    return next((model for model in on_disk(models_dir) if model.created_at is not None), None)


def held(models_dir: Path) -> str | None:
    """The newest version that is held back and newer than the one that serves; None without one."""
    current = current_version(models_dir) or ""
    return next(
        (one.version for one in on_disk(models_dir) if one.state == "held back" and one.version > current), None
    )


def earlier(models_dir: Path, version: str | None) -> str:
    """The version named, or the newest one that may serve and came before the one that serves.

    Raises: NoModel when there is none such; DamagedArtifact.
    """
    current = current_version(models_dir)
    before = [one for one in on_disk(models_dir) if current is not None and one.version < current]
    if version is not None:
        require(models_dir, version)
        if version not in [one.version for one in before]:
            raise NoModel(f"{version} did not serve before {current}; `clew models publish {version}` has it serve")
        return version
    found = next((one.version for one in before if one.state == "ready"), None)
    if found is None:
        raise NoModel("there is no earlier model to go back to; `clew models list` shows what there is")
    return found


def require(models_dir: Path, version: str) -> None:
    """Raises: NoModel for a version that is not on disk."""
    if version not in all_versions(models_dir):
        raise NoModel(f"no model {version!r} is on disk; `clew models list` shows what there is")


def _look_at(models_dir: Path, version: str, current: str | None) -> ModelOnDisk:
    why = held_back(models_dir, version)
    try:
        manifest = read_manifest(models_dir / version)
    except DamagedArtifact as error:
        return ModelOnDisk(version, "damaged", None, None, None, error.message)
    state = "serves" if version == current else "ready" if why is None else "held back"
    note = why or (manifest.comparison.text if manifest.comparison else None)
    return ModelOnDisk(version, state, manifest.created_at, manifest.log_offset, manifest.metrics.get(NDCG), note)
