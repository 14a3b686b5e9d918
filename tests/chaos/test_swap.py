"""A new model under load: no request fails, and the new one answers soon. How fast: benchmarks/swap.py."""

import time
from pathlib import Path

import msgspec

from embeddings.artifact import load_artifact, switch_current, write_artifact
from embeddings.settings import EncoderSettings, TrainSettings
from embeddings.train import train
from tests.chaos.town import Neo4j, Town, until
from tests.embeddings.checkerboard import checkerboard


def two_models(models_dir: Path) -> None:
    """v1, which serves, and v2: the same under another name."""
    made = train(checkerboard(), models_dir, settings=TrainSettings(encoder=EncoderSettings(dim=4, steps=3)))
    artifact = load_artifact(models_dir, made.version)
    for version in ("v1", "v2"):
        manifest = msgspec.structs.replace(artifact.manifest, version=version)
        write_artifact(models_dir, manifest, artifact.weights, artifact.snapshot)
    switch_current(models_dir, "v1")


def test_no_request_fails_while_the_model_is_replaced(neo4j: Neo4j, tmp_path: Path) -> None:
    two_models(tmp_path / "models")
    user_id = str(checkerboard().user_ids[0])
    with Town(tmp_path, neo4j) as town:

        def serves(version: str) -> bool:
            status, ranked = town.ask_api("POST", "/recommend", {"user_id": user_id})
            assert status == 200
            assert ranked["strategy"] == "model"
            return ranked["model_version"] == version

        assert serves("v1")
        for version in ("v2", "v1"):
            switch_current(tmp_path / "models", version)
            until(lambda version=version: serves(version), town.said, wait_s=60)
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            assert serves("v1")
