"""How well the served model ranks on both demos, beside popularity, recent popularity and item neighbourhoods.

    python benchmarks/quality_demos.py movies --cache .clew/cache --splits ../shared/data/ml-100k-splits
    python benchmarks/quality_demos.py retail --cache .clew/cache

movies: ML-100K, ratings of 4 and 5, trained on A.train, tested on A.test (its own validation part is cut from A.train;
the defaults were settled on A.valid). retail: trained to the end of November 2017, tested on the products of December
that are new to the household. --valid tests on the validation part instead (A.valid; November, trained to October).
"of known items" leaves out targets that fewer than 5 households bought in the training part. Retail's result also has
the part "by_months" (benchmarks/retail_protocol.py): fitted to October, tuned on November, tested on December, against
item neighbours and EASE, over the products that at least 10 households bought.
Full ranking over all items but those of the user's training part. Writes benchmarks/results/quality_<demo>.json.
"""

import argparse
import json
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.dataset_snapshot import snapshot_of
from domain.progress import Silent
from domain.snapshot import Interactions, Snapshot
from embeddings.artifact import load_artifact
from embeddings.scorers.registry import scorer_kind
from embeddings.train import train
from ingest.report import RejectedLog
from ingest.sources import read_source
from ingest.sources.demos import demo_source
from recommend.evaluate.metrics import METRICS, bootstrap_difference, coverage, standard_error
from recommend.evaluate.split import Split, split_by_time
from recommend.history import Histories
from recommend.score import Scorer, Scores

RESULTS = Path(__file__).parent / "results"
DAYS = ((2017, 11, 1), (2017, 12, 1), (2018, 1, 2))
NOVEMBER, DECEMBER, AFTER = (int(datetime(*day, tzinfo=UTC).timestamp() * 1000) for day in DAYS)
KNOWN_FROM = 5  # buyers in the training part
ScoreUser = Callable[[int], NDArray[np.float32]]  # user row -> (I,) scores
Masks = dict[int, NDArray[np.int64]]


def demo_snapshot(name: str, cache_dir: Path) -> Snapshot:
    source, path, licence = demo_source(name, cache_dir, Silent())
    print(licence, file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder, RejectedLog(Path(folder) / "rejected.jsonl") as rejected:
        return snapshot_of(read_source(source, path, rejected, cache_dir=cache_dir, progress=Silent()))


def movies_split(snapshot: Snapshot, splits: Path, phase: str) -> tuple[Split, Masks]:
    """The split, and what to leave out of the lists beside the training part (valid, when testing)."""
    train, valid, test = (read_pairs(snapshot, splits / f"A.{part}.tsv") for part in ("train", "valid", "test"))
    events = snapshot.interactions
    keys = events.user_rows.astype(np.int64) * len(snapshot.item_ids) + events.item_rows
    kept = np.isin(keys, train)
    part = Interactions(*(getattr(events, name)[kept] for name in ("user_rows", "item_rows", "kinds", "values", "at")))
    target = group(test if phase == "test" else valid, len(snapshot.item_ids))
    left_out = group(valid, len(snapshot.item_ids)) if phase == "test" else {}
    return Split(replace(snapshot, interactions=part), target), left_out


def read_pairs(snapshot: Snapshot, file: Path) -> NDArray[np.int64]:
    rows = [line.split("\t") for line in file.read_text().splitlines()[1:]]
    return np.array([snapshot.user_row[row[0]] * len(snapshot.item_ids) + snapshot.item_row[row[1]] for row in rows])


def group(keys: NDArray[np.int64], num_items: int) -> Masks:
    users = keys // num_items
    return {int(user): np.sort(keys[users == user] % num_items) for user in np.unique(users)}


def ranked_lists(score: ScoreUser, scorer: Scorer, split: Split, left_out: Masks, n: int) -> list[NDArray[np.int64]]:
    """The top n of each user with targets, without what the user already had."""
    histories = Histories(split.train.interactions, len(split.train.user_ids))
    lists: list[NDArray[np.int64]] = []
    for user in split.targets:
        allowed = np.ones(len(split.train.item_ids), np.bool_)
        allowed[histories[user].item_rows] = False
        allowed[left_out.get(user, np.empty(0, np.int64))] = False
        lists.append(scorer.top(score(user), n, allowed))
    return lists


def measure(lists: list[NDArray[np.int64]], all_targets: Masks, ks: tuple[int, ...]) -> dict[str, NDArray[np.float64]]:
    """Metric name -> value per user that has targets."""
    width = max(ks)
    pairs = [(ranked, targets) for ranked, targets in zip(lists, all_targets.values(), strict=True) if len(targets)]
    hits = np.zeros((len(pairs), width), np.bool_)
    for row, (ranked, targets) in enumerate(pairs):
        hits[row, : len(ranked)] = np.isin(ranked, targets)
    wanted = np.array([len(targets) for _, targets in pairs])
    return {f"{name}@{k}": METRICS[name](hits, wanted, k) for name in ("recall", "ndcg", "mrr", "hit") for k in ks}


def peer(name: str, snapshot: Snapshot, **settings: float) -> ScoreUser:
    """A scorer of the bench with its default settings, but for those that are named."""
    kind = scorer_kind(name)
    fitted = kind.fit(snapshot, {**kind.defaults(), **settings}, 0, Silent())
    return lambda user: fitted.score(np.array([user]))[0]


def served(scorer: Scorer, snapshot: Snapshot, pick: Callable[[Scores], NDArray[np.float32]]) -> ScoreUser:
    histories = Histories(snapshot.interactions, len(snapshot.user_ids))
    return lambda user: pick(scorer.score(scorer.weigh(histories[user])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", choices=["movies", "retail"])
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"))
    parser.add_argument("--splits", type=Path, default=Path("../shared/data/ml-100k-splits"))
    parser.add_argument("--valid", action="store_true", help="test on the validation part instead")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    phase = "valid" if options.valid else "test"
    options.cache.mkdir(parents=True, exist_ok=True)
    snapshot = demo_snapshot(options.demo, options.cache)
    left_out: Masks = {}
    if options.demo == "movies":
        split, left_out = movies_split(snapshot, options.splits, phase)
        ks = (10, 20)
    else:
        split = split_by_time(snapshot, *((NOVEMBER, DECEMBER) if options.valid else (DECEMBER, AFTER)))
        ks = (20, 10)
    by_months: dict[str, object] = {}
    if options.demo == "retail" and not options.valid:
        import retail_protocol  # beside this file, which others import as part of a package

        months = retail_protocol.Months.of(snapshot, NOVEMBER, DECEMBER, AFTER)
        by_months = {"by_months": retail_protocol.report(months, options.seed)}
    report(options, phase, split, left_out, ks, by_months)


def report(
    options: argparse.Namespace,
    phase: str,
    split: Split,
    left_out: Masks,
    ks: tuple[int, ...],
    more: dict[str, object],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trained = train(split.train, Path(folder), seed=options.seed)
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = time.perf_counter()
        artifact = load_artifact(Path(folder), trained.version)
        loaded_s = time.perf_counter() - began
        size_mib = sum(file.stat().st_size for file in trained.path.iterdir()) / 2**20
        scorer = Scorer(artifact)
        models: dict[str, ScoreUser] = {
            "served": served(scorer, split.train, lambda scores: scores.total),
            "served without taste": served(scorer, split.train, lambda scores: scores.total - scores.taste),
            "popular": peer("popular", split.train),
            "recent popular": peer("popular", split.train, days=28.0),
            "item neighbours (cosine)": peer("item-cosine", split.train),
        }
        enough = np.diff(artifact.weights.takers_indptr) >= KNOWN_FROM
        known = enough if options.demo == "retail" else None
        figures, values = compare(models, scorer, split, left_out, ks, known)
    result = {
        "demo": options.demo,
        "phase": phase,
        "users": len(split.targets),
        "models": figures,
        "against_item_neighbours": {
            name: bootstrap_difference(values["served"][name], values["item neighbours (cosine)"][name])
            for name in (f"recall@{ks[0]}", f"ndcg@{ks[0]}")
        },
        **more,
        "training": {"seconds": round(trained.seconds, 1), "peak_mib": round(peak_mib), **trained.metrics},
        "artifact": {"mib": round(size_mib, 1), "load_and_check_s": round(loaded_s, 2)},
        "chosen": artifact.manifest.settings,
        "seed": options.seed,
        "command": f"python benchmarks/quality_demos.py {options.demo}" + (" --valid" if options.valid else ""),
        "machine": {"processor": platform.machine(), "system": platform.system(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("numpy", "scipy", "torch", "torch-geometric")},
    }
    RESULTS.mkdir(exist_ok=True)
    name = f"quality_{options.demo}" + ("_valid" if options.valid else "")
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def told(values: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": round(float(values.mean()), 5), "standard_error": round(standard_error(values), 5)}


def compare(
    models: dict[str, ScoreUser],
    scorer: Scorer,
    split: Split,
    left_out: Masks,
    ks: tuple[int, ...],
    known: NDArray[np.bool_] | None,
) -> tuple[dict[str, dict[str, object]], dict[str, dict[str, NDArray[np.float64]]]]:
    figures: dict[str, dict[str, object]] = {}
    values: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, score in models.items():
        began = time.perf_counter()
        lists = ranked_lists(score, scorer, split, left_out, max(ks))
        spent_ms = (time.perf_counter() - began) / max(len(lists), 1) * 1000
        values[name] = measure(lists, split.targets, ks)
        figures[name] = {metric: told(each) for metric, each in values[name].items()}
        if known is not None:
            only = {user: items[known[items]] for user, items in split.targets.items()}
            only_values = measure(lists, only, ks)
            figures[name] |= {f"{metric} of known items": told(each) for metric, each in only_values.items()}
        figures[name]["coverage"] = round(coverage([each.tolist() for each in lists], len(scorer.item_ids), ks[0]), 4)
        figures[name]["ms_per_list"] = round(spent_ms, 2)
    return figures, values


if __name__ == "__main__":
    main()
