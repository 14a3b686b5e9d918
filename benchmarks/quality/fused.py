"""What the scripts of this folder share: the files, the served model tuned on them, and how well its lists rank."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from clew.bench import Choice, Files
from clew.bench_cold import Case
from clew.bench_fused import Served
from domain.progress import Silent
from domain.snapshot import Snapshot
from embeddings.settings import TrainSettings
from embeddings.train import Model, train_model
from recommend.evaluate.lists import Lists, hits_of, ranked_lists
from recommend.evaluate.metrics import Values, ndcg

K = 10


@dataclass(frozen=True)
class Asked:
    case: Case
    seed: int
    budget_s: float | None
    trials: int | None

    @classmethod
    def parse(cls, description: str | None) -> "Asked":
        parser = argparse.ArgumentParser(description=description)
        for name in ("train", "valid", "test", "kg", "link"):
            parser.add_argument(f"--{name}", type=Path)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--budget-s", type=float, default=300.0)
        parser.add_argument("--trials", type=int)
        given = parser.parse_args()
        files = Files(given.train, given.valid, given.test, given.kg, given.link)
        case = Case.read(files, Choice(seed=given.seed), Silent())
        return cls(case, given.seed, None if given.trials else given.budget_s, given.trials)

    def tune(self) -> Model:
        return train_model(
            self.case.train,
            seed=self.seed,
            validation=targets_of(self.case),
            budget_s=self.budget_s,
            trials=self.trials,
        )

    def fit(self, train: Snapshot, settings: TrainSettings) -> Model:
        """With these settings and no search, but for the weights of the parts."""
        return train_model(train, seed=self.seed, settings=settings, validation=targets_of(self.case), trials=1)


def targets_of(case: Case) -> dict[int, np.ndarray]:
    targets = case.problem.targets
    bounds = targets.indptr
    return {
        int(user): targets.indices[bounds[user] : bounds[user + 1]].astype(np.int64)
        for user in np.flatnonzero(np.diff(bounds))
    }


def settings_of(model: Model) -> TrainSettings:
    return msgspec.convert(model.settings["train"], TrainSettings)


def served_lists(served: Served, case: Case) -> Lists:
    """The top 10 of the users of the test part."""
    users = np.flatnonzero(np.diff(case.tested.indptr)).astype(np.int64)
    return ranked_lists(served, users, case.had, K)


def ndcg_of(lists: Lists, case: Case) -> Values:
    """(n,) at 10, on the test part."""
    hits, wanted = hits_of(lists, case.tested)
    return ndcg(hits, wanted, K)
