"""Artifacts on disk: whole or refused."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from domain.errors import DamagedArtifact, NoModel
from embeddings.artifact import (
    FORMAT,
    Artifact,
    Manifest,
    current_version,
    held_back,
    hold_back,
    load_artifact,
    load_current,
    switch_current,
    write_artifact,
)
from embeddings.settings import EncoderSettings, TrainSettings
from embeddings.train import train_model
from embeddings.weights import Weights
from tests.embeddings.checkerboard import checkerboard


@pytest.fixture(scope="module")
def weights() -> Weights:
    return train_model(checkerboard(), settings=TrainSettings(encoder=EncoderSettings(dim=4, steps=3))).weights


def manifest(version: str) -> Manifest:
    from embeddings.weights import Normalisation

    return Manifest(
        format=FORMAT,
        version=version,
        created_at="2026-01-01T00:00:00+00:00",
        seed=0,
        snapshot_version="abc",
        log_offset=7,
        declaration="def",
        counts={},
        metrics={"validation_ndcg@10": 0.5},
        settings={},
        normalisation=Normalisation(),
        versions={},
        shapes={},
        files={},
    )


def publish(models_dir: Path, weights: Weights, *versions: str) -> Path:
    for version in versions:
        folder = write_artifact(models_dir, manifest(version), weights, checkerboard())
        switch_current(models_dir, version)
    return folder


def test_loads_what_was_written(tmp_path: Path, weights: Weights) -> None:
    publish(tmp_path, weights, "v1")
    loaded = load_artifact(tmp_path)
    assert isinstance(loaded, Artifact)
    assert loaded.version == "v1"
    assert loaded.manifest.log_offset == 7
    for name, array in weights.arrays().items():
        found = getattr(loaded.weights, name)
        assert np.array_equal(found, array), name
        assert found.dtype == array.dtype, name
        assert not found.flags.writeable
    assert loaded.manifest.shapes["bias"] == (40,)
    assert loaded.snapshot.version == checkerboard().version


def test_without_a_model(tmp_path: Path) -> None:
    assert current_version(tmp_path / "absent") is None
    assert load_current(tmp_path) == (None, [])
    with pytest.raises(NoModel, match="clew train"):
        load_artifact(tmp_path)


@pytest.mark.parametrize("name", ["weights.safetensors", "snapshot.npz", "manifest.json"])
@pytest.mark.parametrize("damage", ["missing", "short", "changed"])
def test_a_damaged_file_is_named_and_the_last_good_version_serves(
    tmp_path: Path, weights: Weights, name: str, damage: str
) -> None:
    file = publish(tmp_path, weights, "v1", "v2") / name
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "short":
        file.write_bytes(content[:-9])
    else:
        file.write_bytes(content[:40] + bytes([content[40] ^ 255]) + content[41:])
    artifact, damaged = load_current(tmp_path)
    assert artifact is not None
    assert artifact.version == "v1"
    assert [f"v2/{name}" in error.message for error in damaged] == [True]
    with pytest.raises(DamagedArtifact, match=name):
        load_artifact(tmp_path)


def test_another_format_is_refused(tmp_path: Path, weights: Weights) -> None:
    file = publish(tmp_path, weights, "v1") / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(DamagedArtifact, match="format 99"):
        load_artifact(tmp_path)


def test_an_unfinished_write_and_an_unswitched_version_do_not_serve(tmp_path: Path, weights: Weights) -> None:
    publish(tmp_path, weights, "v1")
    (tmp_path / ".v2.part").mkdir()
    write_artifact(tmp_path, manifest("v3"), weights, checkerboard())
    artifact, damaged = load_current(tmp_path)
    assert artifact is not None
    assert (artifact.version, damaged) == ("v1", [])


def test_old_versions_and_broken_writes_are_cleared(tmp_path: Path, weights: Weights) -> None:
    (tmp_path / ".v0.part").mkdir()
    publish(tmp_path, weights, "v1", "v2", "v3", "v4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "v2", "v3", "v4"]


def test_a_version_held_back_serves_only_when_it_is_named(tmp_path: Path, weights: Weights) -> None:
    publish(tmp_path, weights, "v1", "v2", "v3")
    hold_back(tmp_path, "v2", "worse")
    (tmp_path / "v3" / "manifest.json").unlink()
    artifact, _ = load_current(tmp_path)
    assert artifact is not None
    assert artifact.version == "v1"
    switch_current(tmp_path, "v2")
    assert held_back(tmp_path, "v2") is None
    assert load_artifact(tmp_path).version == "v2"


def test_of_older_versions_held_back_one_stays_and_takes_no_place_of_a_good_one(
    tmp_path: Path, weights: Weights
) -> None:
    publish(tmp_path, weights, "v1", "v2")
    for version in ("v3", "v4"):
        write_artifact(tmp_path, manifest(version), weights, checkerboard())
        hold_back(tmp_path, version, "worse")
    publish(tmp_path, weights, "v5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "v1", "v2", "v4", "v5"]


def test_killed_in_the_middle_of_writing_the_last_good_one_serves(tmp_path: Path, weights: Weights) -> None:
    publish(tmp_path, weights, "v1")
    program = (
        "import sys, numpy as np, dataclasses\n"
        "from pathlib import Path\n"
        "from embeddings.artifact import load_artifact, write_artifact\n"
        "import msgspec\n"
        "good = load_artifact(Path(sys.argv[1]))\n"
        "print('go', flush=True)\n"
        "for place in range(10**6):\n"
        "    named = msgspec.structs.replace(good.manifest, version=f'w{place:06}')\n"
        "    write_artifact(Path(sys.argv[1]), named, good.weights, good.snapshot)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(0.3)
    writer.kill()
    writer.wait()
    writer.stdout.close()
    artifact, damaged = load_current(tmp_path)
    assert artifact is not None
    assert (artifact.version, damaged) == ("v1", [])
    for folder in tmp_path.iterdir():
        if folder.is_dir() and not folder.name.startswith("."):
            load_artifact(tmp_path, folder.name)
