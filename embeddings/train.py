"""Trains a model on a snapshot and writes it to disk. Needs torch.

First on part of the data, to choose λ and the weights of the parts on the rest of it; then on all of it.
"""

import contextlib
import hashlib
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path

import msgspec
import numpy as np
import torch

from domain.errors import DamagedArtifact, NothingToTrain
from domain.progress import Progress, Silent
from domain.snapshot import Snapshot
from embeddings.artifact import FORMAT, Comparison, Manifest, current_version, read_manifest, write_artifact
from embeddings.assemble import assemble
from embeddings.comparison import NDCG, NUM_USERS, RECALL, compare, refuse_worse
from embeddings.fitting import Fitting
from embeddings.holdout import matrix_of, pairs_of
from embeddings.popularity import trend_of
from embeddings.search import Found, search
from embeddings.settings import TrainSettings, settings_for
from embeddings.together import taken_together
from embeddings.validation import Targets, validation_of
from embeddings.weighting import PairWeights
from embeddings.weights import Normalisation, Weights

THREADS = 1  # of torch: equal results on any machine, and no waiting at barriers where the cores are busy
TUNE_S = 300.0


@dataclass(frozen=True)
class Model:
    """A trained model in memory."""

    weights: Weights
    normalisation: Normalisation
    settings: dict[str, object]
    metrics: dict[str, float]
    seed: int


@dataclass(frozen=True)
class Trained:
    """A version on disk that does not serve yet: switch_current makes it so."""

    version: str
    path: Path
    metrics: Mapping[str, float]
    seconds: float
    comparison: Comparison


def train(
    snapshot: Snapshot,
    models_dir: Path,
    *,
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
    settings: TrainSettings | None = None,
    tune: bool = False,
    budget_s: float | None = None,
    trials: int | None = None,
) -> Trained:
    """Trains and writes models_dir/<version>; what serves is left as it is.

    Without settings, those of the serving model where it was trained on the same declared data, else the defaults.
    With tune they are searched, from the defaults: the first `trials` of the list, or as many as take budget_s
    (TUNE_S when neither is given).
    Raises: NothingToTrain; WorseModel when it is clearly worse on its validation part than the serving model was on
    its own, unless forced: it is then on disk, and held back.
    """
    began = time.perf_counter()
    progress = progress or Silent()
    if tune:
        budget_s = TUNE_S if budget_s is None and trials is None else budget_s
    else:
        settings = settings or saved_settings(models_dir, snapshot.declaration.fingerprint)
        budget_s = trials = None
    model = train_model(snapshot, seed=seed, progress=progress, settings=settings, budget_s=budget_s, trials=trials)
    comparison = compare(model.metrics, models_dir)
    with progress.step("Writing the model", 1) as advance:
        manifest = msgspec.structs.replace(manifest_of(model, snapshot), comparison=comparison)
        path = write_artifact(models_dir, manifest, model.weights, snapshot)
        advance(1)
    if not force:
        refuse_worse(manifest.version, comparison, models_dir)
    return Trained(manifest.version, path, model.metrics, time.perf_counter() - began, comparison)


def train_model(
    snapshot: Snapshot,
    *,
    seed: int = 0,
    progress: Progress | None = None,
    settings: TrainSettings | None = None,
    validation: Targets | None = None,
    budget_s: float | None = None,
    trials: int | None = None,
) -> Model:
    """The model of a snapshot. Equal snapshots, seeds, numbers of trials and thread counts give equal weights.

    settings: the first trial; the defaults for data of this shape when None. validation: user row -> item rows to
    find, none of them in the snapshot's events; without it, part of the events is held out, and the model is fitted
    again to all of them. trials: how many settings to try; budget_s: seconds for all of it. With neither, only the
    first. The number that ran is in Model.settings["trials"], and gives the same model again.
    Raises: NothingToTrain for less than 2 users or 2 items with a positive weight.
    """
    progress = progress or Silent()
    pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=None)
    _check(pairs)
    start = settings or settings_for(len(snapshot.item_ids), len(snapshot.user_ids), len(pairs.weights))
    with _threads(THREADS):
        fitting = Fitting.of(snapshot, seed, progress)
        held = validation_of(snapshot, validation, start, seed)
        found = search(fitting, held, start, trials=trials, budget_s=budget_s)
        return _final(fitting, found, num_users=len(held.users))


def _final(fitting: Fitting, found: Found, *, num_users: int) -> Model:
    """The model of all of the data with what validation on so many users chose."""
    snapshot, settings, chosen = fitting.snapshot, found.settings, found.chosen
    pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=settings.half_life_days)
    matrix = matrix_of(pairs, snapshot)
    encoded = found.encoded or fitting.encode(pairs, matrix, settings, "Training the model: encoder")
    with fitting.progress.step(f"Training the model: linear, encoder loss {encoded.loss:.3f}", 1) as advance:
        linear = found.linear or fitting.pose(pairs, matrix, settings.linear).solve(found.ridge)
        advance(1)
    trend = trend_of(pairs, len(snapshot.item_ids), settings.recent_days)
    fusion = chosen.fusion
    together = taken_together(matrix) if fusion.together_whole or fusion.together_short else None
    weights = assemble(snapshot, pairs, fitting.features, linear, encoded, chosen, trend, together)
    normalisation = Normalisation(
        linear_power=fusion.power,
        taste_power=0.5,
        taste_length=encoded.target_length / chosen.taste_deviation,
        half_life_days=settings.half_life_days,
        half_size=fusion.half_size,
        together_whole=fusion.together_whole * chosen.together_scale,
        together_short=fusion.together_short * chosen.together_scale,
        trend_power=fusion.trend,
        trend_days=settings.recent_days,
    )
    metrics = {"encoder_loss": encoded.loss}
    if chosen.ndcg >= 0:
        metrics |= {NDCG: chosen.ndcg, RECALL: chosen.recall, NUM_USERS: float(num_users)}
    told: dict[str, object] = {
        "train": msgspec.to_builtins(settings),
        "ridge": found.ridge,
        "fusion": msgspec.to_builtins(fusion),
        "trials": found.trials,
    }
    return Model(weights, normalisation, told, metrics, fitting.seed)


def saved_settings(models_dir: Path, declaration: str) -> TrainSettings | None:
    """What the serving model was trained with; None without one, or when its data was declared otherwise."""
    version = current_version(models_dir)
    with contextlib.suppress(DamagedArtifact, msgspec.ValidationError):
        if version is not None and (manifest := read_manifest(models_dir / version)).declaration == declaration:
            return msgspec.convert(manifest.settings["train"], TrainSettings)
    return None


def _check(pairs: PairWeights) -> None:
    positive = pairs.weights > 0
    users, items = len(np.unique(pairs.user_rows[positive])), len(np.unique(pairs.item_rows[positive]))
    if users < 2 or items < 2:
        raise NothingToTrain(
            f"only {users} users and {items} items have events that count for a taste; ingest interactions first"
        )


def manifest_of(model: Model, snapshot: Snapshot) -> Manifest:
    """What a model says about itself, under a new version; without the sums of files that are not written yet."""
    now = datetime.now(UTC)
    mark = hashlib.sha256(f"{snapshot.version} {model.seed} {now.isoformat()}".encode()).hexdigest()[:8]
    return Manifest(
        format=FORMAT,
        version=f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{mark}",
        created_at=now.isoformat(),
        seed=model.seed,
        snapshot_version=snapshot.version,
        log_offset=snapshot.log_offset,
        declaration=snapshot.declaration.fingerprint,
        counts={
            "users": len(snapshot.user_ids),
            "items": len(snapshot.item_ids),
            "entities": len(snapshot.entity_ids),
            "interactions": len(snapshot.interactions),
        },
        metrics=model.metrics,
        settings=model.settings,
        normalisation=model.normalisation,
        versions={name: version_of(name) for name in ("numpy", "scipy", "torch", "torch-geometric")},
        shapes={},
        files={},
    )


@contextlib.contextmanager
def _threads(count: int) -> Generator[None]:
    """torch with at most so many threads. All operations in use give equal results for equal thread counts."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(count, before))
    try:
        yield
    finally:
        torch.set_num_threads(before)
