"""What the rating column says about taste: decided on the validation part, since files do not tell.

equal: a row is a row, whatever its rating. graded: a weight in proportion to the rating, 1 for the highest (few
distinct ratings above 0). liked: in proportion to how far it lies above the middle of the scale; the rest counts as
seen only. log: with the logarithm of the rating, 1 for the median (many distinct values above 0, such as counts).
"""

import numpy as np
from numpy.typing import NDArray

from domain.declarations import EventKind
from domain.progress import Progress
from domain.snapshot import Snapshot
from embeddings.scorers.contract import ScorerKind
from recommend.evaluate.cut import Problem
from recommend.evaluate.data import PLAIN, with_kind
from recommend.evaluate.search import search

MOST_GRADES = 32  # distinct values of a scale; more are a quantity
Values = NDArray[np.floating]


def readings(snapshot: Snapshot) -> dict[str, EventKind]:
    """The ways in which these ratings can be read, "equal" first; only that for a file without ratings."""
    values = snapshot.interactions.values
    grades = np.unique(values[np.isfinite(values)])
    ways = {"equal": PLAIN}
    if len(grades) < 2:
        return ways
    if len(grades) > MOST_GRADES:
        if grades[0] > 0:
            ways["log"] = _logarithmic(values)
        return ways
    if grades[0] > 0:
        ways["graded"] = _kind(grades, grades / grades[-1])
    middle = (grades[0] + grades[-1]) / 2
    ways["liked"] = _kind(grades, np.maximum(grades - middle, 0) / (grades[-1] - middle))
    return ways


def choose_reading(kind: ScorerKind, problem: Problem, *, seed: int, progress: Progress) -> str:
    """The reading with which this scorer ranks the validation part best; among equals the first."""
    found = readings(problem.fit)
    best, best_ndcg = "equal", -1.0
    for name, event_kind in found.items() if len(found) > 1 else ():
        read = Problem(with_kind(problem.fit, event_kind), problem.targets)
        tuned = search(kind, read, seed=seed, progress=progress, budget_s=0.0, trials=1)
        ndcg = tuned.best.metrics.get("ndcg@10", 0.0)
        if ndcg > best_ndcg:
            best, best_ndcg = name, ndcg
    return best


def _logarithmic(values: Values) -> EventKind:
    """Steps at up to MOST_GRADES quantiles."""
    grades = np.unique(np.quantile(values, np.linspace(0, 1, MOST_GRADES), method="lower"))
    return _kind(grades, np.log1p(grades) / np.log1p(np.median(values)))


def _kind(grades: Values, factors: Values) -> EventKind:
    steps = tuple(
        (float(grade), float(factor)) for grade, factor in zip(grades[::-1], factors[::-1], strict=True) if factor > 0
    )
    return EventKind(name="rate", verb="rated {value}", description="A rating of the training file.", steps=steps)
