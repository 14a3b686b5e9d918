"""The served model as a scorer of the bench: trained by `embeddings.train`, scored by what `clew serve` scores with."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.artifact import Artifact
from embeddings.scorers.contract import Floats, Users, Value
from embeddings.train import Model, manifest_of, train_model
from recommend.evaluate.cut import Problem
from recommend.evaluate.search import Trial, Tuned
from recommend.history import Histories
from recommend.score import Scorer


@dataclass(frozen=True)
class Served:
    """A trained model and the histories that its users have in the training part."""

    scorer: Scorer
    histories: Histories

    @classmethod
    def of(cls, model: Model, snapshot: Snapshot) -> "Served":
        artifact = Artifact(Path(), manifest_of(model, snapshot), model.weights, snapshot)
        return cls(Scorer(artifact), Histories(snapshot.interactions, len(snapshot.user_ids)))

    def score(self, user_rows: Users) -> Floats:
        scores = np.zeros((len(user_rows), len(self.scorer.item_ids)), np.float32)
        for place, row in enumerate(user_rows.tolist()):
            scores[place] = self.scorer.score(self.scorer.weigh(self.histories[row])).total
        return scores

    def fold_in(self, snapshot: Snapshot) -> "Served":
        return Served(self.scorer, Histories(snapshot.interactions, len(snapshot.user_ids)))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        parts = self.scorer.score(self.scorer.weigh(self.histories[user_row]))
        names = ("entity", "behaviour", "taste", "popularity")
        return {name: float(getattr(parts, name)[item_row]) for name in names}


def tune_fused(
    snapshot: Snapshot,
    problem: Problem | None,
    *,
    seed: int,
    progress: Progress,
    budget_s: float,
    trials: int | None = None,
) -> Tuned:
    """The served model of a snapshot, its settings chosen on the problem's targets, or on a part it cuts itself."""
    targets = None
    if problem is not None:
        indptr, indices = problem.targets.indptr, problem.targets.indices
        targets = {int(u): indices[indptr[u] : indptr[u + 1]].astype(np.int64) for u in np.flatnonzero(np.diff(indptr))}
    budget = None if trials is not None else budget_s
    model = train_model(snapshot, seed=seed, progress=progress, validation=targets, budget_s=budget, trials=trials)
    metrics = {name.removeprefix("validation_"): value for name, value in model.metrics.items()}
    ran = int(cast(int, model.settings["trials"]))
    best = Trial(cast(dict[str, Value], model.settings), metrics, None)
    return Tuned(best, Served.of(model, snapshot), (best,) * ran)
