"""The retail demo by months: fitted to October, chosen on November, tested on the products of December new to the
household, beside item neighbours and EASE that were tuned on the same November.

Ranked are the products that at least `BUYERS` households bought to the end of October, for every model; products of
November count as known to the household in December, and are in every model's history then. The served model's trend
follows November's events, as it does in a running server; "still": without that. "To November": the served model and
EASE with λ as chosen, fitted to November too, as a shop that trains in December would.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from domain.snapshot import Snapshot
from embeddings.artifact import Artifact
from embeddings.features import Floats
from embeddings.holdout import matrix_of, pairs_of
from embeddings.linear import LowRank, residual_of_rows
from embeddings.popularity import takers
from embeddings.scorers.contract import dense
from embeddings.scorers.neighbours import nearest_items
from embeddings.train import Model, manifest_of, train_model
from recommend.evaluate.metrics import METRICS, bootstrap_difference, standard_error
from recommend.evaluate.split import Split, split_by_time
from recommend.history import Histories
from recommend.popularity import first_takers
from recommend.score import Scorer
from recommend.trend import Trend

BUYERS = 10  # with which item neighbours and EASE come within 4 % of the figures that were set for them
K = 20
NEIGHBOURS = ((100,), (0.0, 10.0))  # how many, and the shrinkage
RIDGES = (300.0, 1_000.0)
Values = dict[str, NDArray[np.float64]]
ScoreRows = Callable[[sp.csr_array], Floats]  # histories (U, I') -> (U, I') scores


@dataclass(frozen=True)
class Months:
    """valid, test: the splits at November and December; kept (I',): the item rows that are ranked."""

    valid: Split
    test: Split
    kept: NDArray[np.int64]

    @classmethod
    def of(cls, snapshot: Snapshot, november: int, december: int, after: int) -> "Months":
        valid = split_by_time(snapshot, november, december)
        test = split_by_time(snapshot, december, after)
        pairs = pairs_of(valid.train, valid.train.interactions, half_life_days=None)
        return cls(valid, test, np.flatnonzero(takers(pairs, len(snapshot.item_ids)) >= BUYERS))


def report(months: Months, seed: int) -> dict[str, object]:
    """Model -> metric -> mean and standard error over the households of December, and what was chosen on November."""
    values: dict[str, Values] = {}
    chosen: dict[str, Any] = {}
    model = train_model(months.valid.train, seed=seed, validation=months.valid.targets)
    known, at_test = months.valid.train, months.test.train
    values["served"] = measure(months, months.test, served(model, known, at_test))
    values["served, still"] = measure(months, months.test, served(model, known, at_test, follows=False))
    chosen["served"] = model.settings
    for name, candidates in (("item neighbours (cosine)", neighbours(months)), ("EASE", ease(months))):
        best = max(candidates, key=lambda each: float(ranked(months, months.valid, each[1])[f"ndcg@{K}"].mean()))
        chosen[name], values[name] = best[0], ranked(months, months.test, best[1])
    values |= to_november(months, seed, chosen["EASE"]["ridge"])
    return {
        "items": len(months.kept),
        "households": len(values["served"][f"ndcg@{K}"]),
        "models": {name: {metric: told(each) for metric, each in of.items()} for name, of in values.items()},
        "served_against": against(values, "served", ("EASE", "item neighbours (cosine)", "served, still")),
        "served_to_november_against": against(values, "served, to November", ("EASE, to November", "served")),
        "chosen_on_november": chosen,
    }


def against(values: dict[str, Values], name: str, others: tuple[str, ...]) -> dict[str, object]:
    """Of each metric, the difference to each of the others, paired over households."""
    own = values[name]
    return {
        other: {metric: bootstrap_difference(own[metric], values[other][metric]) for metric in own} for other in others
    }


def to_november(months: Months, seed: int, ridge: float) -> dict[str, Values]:
    """Both models fitted to all before December; the served one chooses on the newest of that, as `clew train` does."""
    snapshot = months.test.train
    model = train_model(snapshot, seed=seed)
    none = sp.csr_array((len(months.kept), 1), dtype=np.float32)
    part = residual_of_rows(kept_rows(months, snapshot), none, ridge, rank=len(snapshot.user_ids))
    return {
        "served, to November": measure(months, months.test, served(model, snapshot, snapshot)),
        "EASE, to November": ranked(months, months.test, partial(through, part)),
    }


def served(model: Model, snapshot: Snapshot, now: Snapshot, *, follows: bool = True) -> Callable[[int], Floats]:
    """The scores that `clew serve` would give of a model of the snapshot after the events of `now`."""
    artifact = Artifact(Path(), manifest_of(model, snapshot), model.weights, snapshot)
    scorer, trend = Scorer(artifact), Trend.of(artifact)
    if trend is not None and follows:
        scorer = scorer.trending(trend.factors(first_takers(now, model.normalisation.trend_days)[1]))
    histories = Histories(now.interactions, len(snapshot.user_ids))
    return lambda user: scorer.score(scorer.weigh(histories[user])).total


def neighbours(months: Months) -> list[tuple[dict[str, float], ScoreRows]]:
    """Item neighbours of October for every setting, and those settings."""
    rows = kept_rows(months, months.valid.train)
    found: list[tuple[dict[str, float], ScoreRows]] = []
    for count, shrink in itertools.product(*NEIGHBOURS):
        similar = nearest_items(rows, count, shrink)
        found.append(({"neighbours": count, "shrink": shrink}, partial(through, similar)))
    return found


def ease(months: Months) -> list[tuple[dict[str, float], ScoreRows]]:
    """EASE of October for every λ: the dual form, exact at the rank of the users."""
    rows = kept_rows(months, months.valid.train)
    none = sp.csr_array((len(months.kept), 1), dtype=np.float32)
    found: list[tuple[dict[str, float], ScoreRows]] = []
    for ridge in RIDGES:
        part = residual_of_rows(rows, none, ridge, rank=len(months.valid.train.user_ids))
        found.append(({"ridge": ridge}, partial(through, part)))
    return found


def kept_rows(months: Months, snapshot: Snapshot) -> sp.csr_array:
    """(U, I') the weights of the snapshot's events with the items that are ranked."""
    matrix = matrix_of(pairs_of(snapshot, snapshot.interactions, half_life_days=None), snapshot)
    return sp.csr_array(matrix[:, months.kept])


def through(weights: sp.csr_array | LowRank, rows: sp.csr_array) -> Floats:
    """(U, I') Σ over each user's items of their weights' rows. A product's diagonal touches known items only."""
    if isinstance(weights, LowRank):
        return np.asarray((rows @ weights.left) @ weights.right.T, np.float32)
    return dense(rows @ weights)


def ranked(months: Months, split: Split, score: ScoreRows) -> Values:
    """As measure, for a model whose items are the kept ones."""
    scores = score(kept_rows(months, split.train))
    whole = np.zeros(len(split.train.item_ids), np.float32)

    def spread(user: int) -> Floats:
        whole[months.kept] = scores[user]
        return whole

    return measure(months, split, spread)


def measure(months: Months, split: Split, score: Callable[[int], Floats]) -> Values:
    """Metric -> value per household that has a kept product to find. Known products are left out of the lists."""
    events = Histories(split.train.interactions, len(split.train.user_ids))
    hits: list[NDArray[np.bool_]] = []
    wanted: list[int] = []
    for user, targets in split.targets.items():
        to_find = np.intersect1d(targets, months.kept)
        if len(to_find) == 0:
            continue
        own = np.setdiff1d(months.kept, events[user].item_rows)
        scores = score(user)[own]
        best = np.argpartition(-scores, K)[:K]
        hits.append(np.isin(own[best[np.argsort(-scores[best], kind="stable")]], to_find))
        wanted.append(len(to_find))
    return {f"{name}@{K}": METRICS[name](np.array(hits), np.array(wanted), K) for name in ("recall", "ndcg")}


def told(values: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": round(float(values.mean()), 5), "standard_error": round(standard_error(values), 5)}
