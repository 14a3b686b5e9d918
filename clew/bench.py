"""`clew bench rank`: read the files, choose the hyperparameters on the validation part, rank, write the lists."""

import os
import resource
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np

from clew.bench_fused import tune_fused
from domain.errors import DiskFull, InvalidRequest, InvalidSource
from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.scorers.ease import MOST_ITEMS
from embeddings.scorers.registry import FUSED, SCORERS, scorer_kind
from recommend.evaluate.cut import Problem, cut_validation
from recommend.evaluate.data import BenchData, Phase, bench_data, with_kind
from recommend.evaluate.files import read_links, read_part, read_triples
from recommend.evaluate.hold import with_new_items
from recommend.evaluate.lists import NOBODY, Lists, ranked_lists
from recommend.evaluate.ratings import choose_reading, readings
from recommend.evaluate.search import Tuned, search


@dataclass(frozen=True)
class Files:
    """The data set's files; all but train may be missing."""

    train: Path
    valid: Path | None = None
    test: Path | None = None
    kg: Path | None = None
    link: Path | None = None


@dataclass(frozen=True)
class Choice:
    """scorer: one of embeddings.scorers.registry; phase; how many items; and how long, or how often, to search."""

    scorer: str = FUSED
    phase: Phase = "test"
    k: int = 20
    seed: int = 0
    budget_s: float = 300.0
    trials: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did. settings and validation are the best trial's; trials: how many ran, for --trials;
    best_trial_s: how long the best took, where that is known."""

    scorer: str
    phase: str
    seed: int
    users: int
    items: int
    interactions: int
    entities: int
    lists: int
    ratings: str
    validation_part: str
    trials: int
    best_trial_s: float | None
    settings: dict[str, object]
    validation: dict[str, float]
    seconds: dict[str, float]
    peak_mib: int


@dataclass
class Clock:
    """Seconds of the steps of a run, by name."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    began: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = round(now - self.began, 3)
        self.began = now


def rank(files: Files, choice: Choice, out: Path, progress: Progress) -> Report:
    """Writes user_id, rank, item_id, score to `out`, complete or not at all.

    The test file gives user ids and item ids, and nothing else. Raises: InvalidSource, InvalidRequest, NothingToTrain.
    """
    clock = Clock()
    if choice.scorer != FUSED:
        scorer_kind(choice.scorer)
    data = read_files(files, choice.phase)
    data = replace(data, train=with_new_items(data.train, data.valid))
    clock.lap("read")
    problem = problem_of(data, choice.seed)
    reading = reading_of(problem, choice, progress)
    kind = readings(problem.fit)[reading]
    problem = Problem(with_kind(problem.fit, kind), problem.targets)
    train = with_kind(data.train, kind)
    clock.lap("ratings")
    tuned = tune(train, problem if data.valid is not None else None, problem, choice, progress)
    clock.lap("tune")
    with progress.step("Ranking", len(data.target_rows)) as advance:
        lists = ranked_lists(tuned.fitted, data.target_rows, data.left_out, choice.k, advance)
    clock.lap("rank")
    write_lists(lists, train, out)
    clock.lap("write")
    return _report(train, data, tuned, choice, reading, clock)


def read_files(files: Files, phase: Phase) -> BenchData:
    """Raises: InvalidSource for a bad file; InvalidRequest for a combination that says nothing."""
    if files.link is not None and files.kg is None:
        raise InvalidRequest("--link says which entity an item is; give the graph with --kg too", field="link")
    if phase == "valid" and files.valid is None:
        raise InvalidRequest("--phase valid ranks for the users of the validation file; give it with --valid")
    parts = [read_part(path) if path else None for path in (files.train, files.valid, files.test)]
    train, valid, test = parts
    assert train is not None
    triples = read_triples(files.kg) if files.kg else None
    links = read_links(files.link) if files.link else None
    return bench_data(train, valid, test, triples=triples, links=links, phase=phase)


def problem_of(data: BenchData, seed: int) -> Problem:
    """The given validation part, or one cut from the training part."""
    return cut_validation(data.train, seed=seed) if data.valid is None else Problem(data.train, data.valid)


def tune(train: Snapshot, given: Problem | None, problem: Problem, choice: Choice, progress: Progress) -> Tuned:
    """The model of all of `train` with the settings that are best on the problem."""
    seed, budget_s, trials = choice.seed, choice.budget_s, choice.trials
    if choice.scorer == FUSED:
        return tune_fused(train, given, seed=seed, progress=progress, budget_s=budget_s, trials=trials)
    kind = scorer_kind(choice.scorer)
    tuned = search(kind, problem, seed=seed, progress=progress, budget_s=budget_s, trials=trials)
    if given is not None:
        return tuned
    return Tuned(tuned.best, kind.fit(train, tuned.best.settings, seed, progress), tuned.trials)


def write_lists(lists: Lists, snapshot: Snapshot, out: Path) -> None:
    """Under a temporary name first. Raises: InvalidSource where the folder cannot be written to; DiskFull."""
    temporary = out.with_name(out.name + ".part")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write("user_id\trank\titem_id\tscore\n")
            for row, items, scores in zip(lists.user_rows.tolist(), lists.items, lists.scores, strict=True):
                user_id = snapshot.user_ids[row]
                many = int(np.count_nonzero(items != NOBODY))
                for rank_, (item, score) in enumerate(zip(items[:many], scores[:many], strict=True), start=1):
                    file.write(f"{user_id}\t{rank_}\t{snapshot.item_ids[item]}\t{score:.7g}\n")
        temporary.replace(out)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno == 28:
            raise DiskFull(f"no space left for {out}; free some, or write it elsewhere with --out") from error
        raise InvalidSource(f"cannot write {out}: {error.strerror}; choose another --out", field="out") from error


def reading_of(problem: Problem, choice: Choice, progress: Progress) -> str:
    """Judged by a model that takes seconds: EASE, or item neighbours where there are many items."""
    judge = "ease" if len(problem.fit.item_ids) <= MOST_ITEMS // 4 else "item-cosine"
    return choose_reading(SCORERS[judge], problem, seed=choice.seed, progress=progress)


def _report(train: Snapshot, data: BenchData, tuned: Tuned, choice: Choice, reading: str, clock: Clock) -> Report:
    return Report(
        scorer=choice.scorer,
        phase=choice.phase,
        seed=choice.seed,
        users=len(train.user_ids),
        items=len(train.item_ids),
        interactions=len(train.interactions),
        entities=len(train.entity_ids),
        lists=len(data.target_rows),
        ratings=reading,
        validation_part="given" if data.valid is not None else "cut from the training file",
        trials=len(tuned.trials),
        best_trial_s=tuned.best.seconds,
        settings=dict(tuned.best.settings),
        validation=tuned.best.metrics,
        seconds=clock.seconds,
        peak_mib=_peak_mib(),
    )


def _peak_mib() -> int:
    """Of this process, at its largest. macOS counts bytes, Linux KiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (2**20 if os.uname().sysname == "Darwin" else 2**10))
