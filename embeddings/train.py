"""Trains a model on a snapshot and writes it to disk. Needs torch.

First on part of the data, to choose λ and the weights of the parts on the rest of it; then on all of it.
"""

import contextlib
import hashlib
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path

import msgspec
import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from domain.errors import DamagedArtifact, NothingToTrain, WorseModel
from domain.progress import Progress, Silent
from domain.snapshot import Snapshot
from embeddings.artifact import FORMAT, Manifest, current_version, read_manifest, write_artifact
from embeddings.assemble import assemble
from embeddings.encoded import Encoded
from embeddings.features import Features, Floats, item_features
from embeddings.fit_encoder import fit_encoder
from embeddings.fit_linear import Linear, pose
from embeddings.fuse import Chosen, Components, Fusion, choose
from embeddings.holdout import Holdout, hold_out, matrix_of, pairs_of
from embeddings.popularity import log_popularity, trend_of
from embeddings.settings import TrainSettings, settings_for
from embeddings.weighting import PairWeights
from embeddings.weights import Normalisation, Weights

WORSE = 0.95  # of the serving model's validation NDCG@10: below, a model is not published
NDCG, RECALL = "validation_ndcg@10", "validation_recall@10"
THREADS = 1  # of torch: equal results on any machine, and no waiting at barriers where the cores are busy
Users = NDArray[np.int64]
MOST_SCORES = 64_000_000  # entries of one component's score matrix on the validation part


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


@dataclass(frozen=True)
class _Fitted:
    linear: Linear
    encoded: Encoded


def train(
    snapshot: Snapshot,
    models_dir: Path,
    *,
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
    settings: TrainSettings | None = None,
) -> Trained:
    """Trains and writes models_dir/<version>; what serves is left as it is.

    Raises: NothingToTrain; WorseModel when it is clearly worse on its validation part than the serving model was on
    its own, unless forced.
    """
    began = time.perf_counter()
    progress = progress or Silent()
    model = train_model(snapshot, seed=seed, progress=progress, settings=settings)
    if not force:
        refuse_worse(model.metrics, models_dir)
    with progress.step("Writing the model", 1) as advance:
        manifest = _manifest(model, snapshot)
        path = write_artifact(models_dir, manifest, model.weights, snapshot)
        advance(1)
    return Trained(manifest.version, path, model.metrics, time.perf_counter() - began)


def train_model(
    snapshot: Snapshot, *, seed: int = 0, progress: Progress | None = None, settings: TrainSettings | None = None
) -> Model:
    """The model of a snapshot. Equal snapshots, seeds and thread counts give equal weights, bit for bit.

    Raises: NothingToTrain for less than 2 users or 2 items with a positive weight.
    """
    progress = progress or Silent()
    pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=None)
    _check(pairs)
    settings = settings or settings_for(len(snapshot.item_ids))
    features = item_features(snapshot)
    with _threads(THREADS):
        ridge, chosen = _validate(snapshot, features, settings, seed, progress)
        if settings.half_life_days is not None:
            pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=settings.half_life_days)
        fitted = _fit(snapshot, pairs, features, ridge, settings, seed, progress, "the model")
    trend = trend_of(pairs, len(snapshot.item_ids), settings.recent_days)
    weights = assemble(snapshot, pairs, features, fitted.linear, fitted.encoded, chosen, trend)
    normalisation = Normalisation(
        linear_power=chosen.fusion.power, taste_power=0.5, half_life_days=settings.half_life_days
    )
    metrics = {"encoder_loss": fitted.encoded.loss}
    if chosen.ndcg >= 0:
        metrics |= {NDCG: chosen.ndcg, RECALL: chosen.recall}
    told: dict[str, object] = {
        "train": msgspec.to_builtins(settings),
        "ridge": ridge,
        "fusion": msgspec.to_builtins(chosen.fusion),
    }
    return Model(weights, normalisation, told, metrics, seed)


def refuse_worse(metrics: Mapping[str, float], models_dir: Path) -> None:
    """Raises: WorseModel when the validation NDCG@10 is below 95 % of what the serving model had."""
    version = current_version(models_dir)
    if version is None:
        return
    with contextlib.suppress(DamagedArtifact):
        serving = read_manifest(models_dir / version).metrics.get(NDCG)
        if serving is not None and NDCG in metrics and metrics[NDCG] < WORSE * serving:
            raise WorseModel(
                f"the new model's validation NDCG@10 is {metrics[NDCG]:.4f}, that of {version}, which serves, was "
                f"{serving:.4f}; look at the data that came since, or publish it all the same with --force"
            )


def _check(pairs: PairWeights) -> None:
    positive = pairs.weights > 0
    users, items = len(np.unique(pairs.user_rows[positive])), len(np.unique(pairs.item_rows[positive]))
    if users < 2 or items < 2:
        raise NothingToTrain(
            f"only {users} users and {items} items have events that count for a taste; ingest interactions first"
        )


def _validate(
    snapshot: Snapshot, features: Features, settings: TrainSettings, seed: int, progress: Progress
) -> tuple[float, Chosen]:
    """The best λ (as a multiple) and fusion on the validation part; the middle of both when there is none."""
    held = hold_out(snapshot, seed=seed, half_life_days=settings.half_life_days)
    users = _validation_users(held.targets, settings, len(snapshot.item_ids), seed)
    ridges = settings.linear.ridges
    if len(users) < 2:
        return ridges[len(ridges) // 2], Chosen(Fusion(), 1.0, 1.0, -1.0, -1.0)
    matrix = matrix_of(held.fit, snapshot)
    encoded = _encode(snapshot, held.fit, matrix, features, settings, seed, progress, "Validation: encoder")
    problem = pose(held.fit, matrix, features, len(snapshot.declaration.relation_types), settings.linear)
    rows = sp.csr_array(matrix[users])
    parts = _components(held, rows, users, encoded, trend_of(held.fit, len(snapshot.item_ids), settings.recent_days))
    best: tuple[float, Chosen] | None = None
    for ridge in ridges:
        said = f", NDCG@10 {best[1].ndcg:.4f} so far" if best else f", encoder loss {encoded.loss:.3f}"
        with progress.step(f"Validation: linear model, λ {ridge}{said}", 1) as advance:
            found = choose(replace(parts, linear=problem.solve(ridge).scores(rows)))
            advance(1)
        if best is None or found.ndcg > best[1].ndcg:
            best = ridge, found
    assert best is not None
    return best


def _components(held: Holdout, rows: sp.csr_array, users: Users, encoded: Encoded, trend: Floats) -> Components:
    """All but the linear part's scores, for the validation users, whose weights are rows (b, I)."""
    sizes = np.asarray(rows.multiply(rows).sum(axis=1), np.float32).ravel()
    unit = sp.csr_array(sp.diags_array(np.where(sizes > 0, sizes, 1) ** np.float32(-0.5)) @ rows)
    taste = np.asarray((unit @ encoded.context) @ encoded.targets.T, np.float32)
    pairs = (np.ones(len(held.fit), np.float32), (held.fit.user_rows, held.fit.item_rows))
    seen = sp.csr_array(sp.csr_array(pairs, shape=held.targets.shape)[users])
    targets = sp.csr_array(held.targets[users])
    return Components(np.zeros((0, 0), np.float32), taste, sizes, seen, targets, encoded.bias, trend)


def _validation_users(targets: sp.csr_array, settings: TrainSettings, num_items: int, seed: int) -> Users:
    users = np.flatnonzero(np.diff(targets.indptr))
    most = min(settings.most_validation_users, max(MOST_SCORES // num_items, 1))
    return np.sort(np.random.default_rng(seed).permutation(users)[:most])


def _fit(
    snapshot: Snapshot,
    pairs: PairWeights,
    features: Features,
    ridge: float,
    settings: TrainSettings,
    seed: int,
    progress: Progress,
    what: str,
) -> _Fitted:
    matrix = matrix_of(pairs, snapshot)
    encoded = _encode(snapshot, pairs, matrix, features, settings, seed, progress, f"Training {what}: encoder")
    with progress.step(f"Training {what}: linear, encoder loss {encoded.loss:.3f}", 1) as advance:
        problem = pose(pairs, matrix, features, len(snapshot.declaration.relation_types), settings.linear)
        linear = problem.solve(ridge)
        advance(1)
    return _Fitted(linear, encoded)


def _encode(
    snapshot: Snapshot,
    pairs: PairWeights,
    matrix: sp.csr_array,
    features: Features,
    settings: TrainSettings,
    seed: int,
    progress: Progress,
    title: str,
) -> Encoded:
    first: Floats = log_popularity(pairs, len(snapshot.item_ids), settings.recent_days)
    num_relations = len(snapshot.declaration.relation_types)
    with progress.step(title, settings.encoder.steps) as advance:
        return fit_encoder(
            matrix,
            features,
            len(snapshot.entity_ids),
            num_relations,
            first,
            settings.encoder,
            seed=seed,
            advance=advance,
        )


def _manifest(model: Model, snapshot: Snapshot) -> Manifest:
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
