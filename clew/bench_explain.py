"""`clew bench explain`: trains on a data set and measures whether the reasons of its lists are true."""

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import numpy as np
import psutil

from clew.bench import Files, read_files
from domain.dataset_snapshot import snapshot_of
from domain.progress import Progress
from domain.snapshot import Relations, Snapshot
from embeddings.artifact import Artifact
from embeddings.train import manifest_of, train_model
from ingest.report import RejectedLog
from ingest.sources import read_source
from ingest.sources.demos import DEMOS, demo_source
from recommend.evaluate.faithfulness import (
    Told,
    chosen_users,
    faithfulness,
    spearman,
    stability,
    told_of,
)
from recommend.evaluate.shown import ENTITY, Served, ask

MOST_RETRAINED = 60  # edges deleted at once, of as many items
PACKAGES = ("torch", "torch-geometric", "numpy", "scipy")


class ExplainReport(msgspec.Struct, frozen=True, kw_only=True):
    """figures: those of recommend.evaluate.faithfulness, over `users` users drawn by seed; and of retraining, and of
    other seeds, where they were asked for."""

    data: str
    command: str
    seed: int
    users: int
    interactions: int
    items: int
    relations: int
    figures: dict[str, float]
    seconds: float
    machine: dict[str, object]
    versions: dict[str, str]
    measured_at: str


@dataclass(frozen=True)
class Wanted:
    """users: how many. seeds: how many more models are trained to compare the reasons with. retrain: whether once more
    without the edges of some reasons."""

    users: int = 200
    seed: int = 0
    seeds: int = 1
    retrain: bool = True


def read_data(name: str, path: Path | None, cache_dir: Path, progress: Progress) -> Snapshot:
    """A demo, or a source of `clew ingest`. Raises: as the source does; InvalidRequest for an unknown one."""
    if name in DEMOS and path is None:
        name, path, _ = demo_source(name, cache_dir, progress)
    rejected = RejectedLog(cache_dir / "bench_rejected.jsonl")
    return snapshot_of(read_source(name, path, rejected, cache_dir=cache_dir, progress=progress))


def read_bench_files(train: Path, kg: Path, link: Path | None) -> Snapshot:
    """The files of `clew bench rank`: all that they hold is trained on."""
    return read_files(Files(train, None, None, kg, link), "test").train


def write_report(report: ExplainReport, folder: Path) -> None:
    """Writes NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(report), indent=2)
    (folder / f"{report.data}.json").write_bytes(text + b"\n")


def bench_explain(
    name: str,
    snapshot: Snapshot,
    wanted: Wanted,
    progress: Progress,
    *,
    command: str,
    model: Artifact | None = None,
) -> ExplainReport:
    """command: how to measure it again. model: of the same data; None: one is trained. Raises: NothingToTrain."""
    began = time.perf_counter()
    users = chosen_users(snapshot, wanted.users, wanted.seed)
    served = _trained(snapshot, wanted.seed, progress) if model is None else Served.of(model)
    told = list(told_of(served, users))
    with progress.step("Taking reasons away", 1) as advance:
        figures = faithfulness(served, told, seed=wanted.seed)
        advance(1)
    figures |= _over_seeds(snapshot, told, users, wanted, progress)
    if wanted.retrain:
        figures |= retrained(served, told, wanted.seed, progress)
    return ExplainReport(
        data=name,
        command=command,
        seed=wanted.seed,
        users=len(users),
        interactions=len(snapshot.interactions),
        items=len(snapshot.item_ids),
        relations=sum(len(one.heads) for one in snapshot.relations),
        figures=figures,
        seconds=round(time.perf_counter() - began, 1),
        machine=_machine(),
        versions={"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def retrained(served: Served, told: Sequence[Told], seed: int, progress: Progress) -> dict[str, float]:
    """The change of the score by a model that is trained without the edges of some reasons, one of each item.

    All are deleted at once, so that one training tells of all. retrained_noise: how far scores of items that lost no
    edge moved, as the standard deviation, beside the median fall of those that did.
    """
    chosen = _one_per_item(told)
    weights = served.scorer.weights
    gone = {
        (int(weights.feature_relations[column]), one.item_row, int(weights.feature_entities[column]))
        for one, columns, _ in chosen
        for column in columns
    }
    without = _trained(_without(served.snapshot, gone), seed, progress)
    stated, falls, noise = list[float](), list[float](), list[float]()
    touched = {one.item_row for one, _, _ in chosen}
    for one, _, value in chosen:
        scores = ask(without, one.asked.user_row, 1).total
        stated.append(value)
        falls.append(float(one.asked.total[one.item_row]) - float(scores[one.item_row]))
        others = [row for row in one.asked.top.tolist() if row not in touched]
        noise += [float(one.asked.total[row]) - float(scores[row]) for row in others]
    return {
        "retrained_reasons": float(len(chosen)),
        "spearman_retrained": spearman(np.asarray(stated), np.asarray(falls)),
        "retrained_fall_median": float(np.median(falls)) if falls else float("nan"),
        "retrained_noise": float(np.std(noise)) if noise else float("nan"),
    }


def _one_per_item(told: Sequence[Told]) -> list[tuple[Told, tuple[int, ...], float]]:
    """(item of a list, features, stated amount) of the strongest entity reason shown, the first of each item."""
    found: dict[int, tuple[Told, tuple[int, ...], float]] = {}
    for one in told:
        of_entity = [reason for reason in one.shown if reason.code == ENTITY]
        if of_entity and one.item_row not in found:
            found[one.item_row] = (one, of_entity[0].columns, of_entity[0].value)
    return list(found.values())[:MOST_RETRAINED]


def _without(snapshot: Snapshot, gone: set[tuple[int, int, int]]) -> Snapshot:
    """The snapshot without these (relation code, item row, entity row)."""
    codes = snapshot.declaration.relation_code

    def cut(relation: Relations) -> Relations:
        code = codes.get(relation.type, -1)
        pairs = zip(relation.heads.tolist(), relation.tails.tolist(), strict=True)
        kept = np.fromiter(((code, head, tail) not in gone for head, tail in pairs), np.bool_, len(relation.heads))
        weights = relation.weights[kept] if len(relation.weights) else relation.weights
        return replace(relation, heads=relation.heads[kept], tails=relation.tails[kept], weights=weights)

    return replace(snapshot, relations=tuple(cut(relation) for relation in snapshot.relations))


def _over_seeds(
    snapshot: Snapshot, told: Sequence[Told], users: Sequence[int], wanted: Wanted, progress: Progress
) -> dict[str, float]:
    found = [
        stability(told, list(told_of(_trained(snapshot, wanted.seed + more, progress), users)))
        for more in range(1, wanted.seeds + 1)
    ]
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]} if found else {}


def _trained(snapshot: Snapshot, seed: int, progress: Progress) -> Served:
    model = train_model(snapshot, seed=seed, progress=progress)
    return Served.of(Artifact(Path(), manifest_of(model, snapshot), model.weights, snapshot))


def _machine() -> dict[str, object]:
    gib = round(psutil.virtual_memory().total / 2**30)
    return {"processor": platform.machine(), "cores": psutil.cpu_count(), "memory_gib": gib}
