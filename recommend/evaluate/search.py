"""The hyperparameters of any scorer, chosen on a validation part: the same procedure and budget for each. No torch.

The trials are the combinations of the scorer's grid: the defaults first, the others in an order that the seed fixes.
The budget only cuts this list, so that equal seeds and numbers of trials give equal choices.
"""

import itertools
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from domain.progress import Progress
from embeddings.scorers.contract import Fitted, ScorerKind, Users, Value
from recommend.evaluate.cut import Problem, seen_pairs, users_with
from recommend.evaluate.lists import hits_of, ranked_lists
from recommend.evaluate.metrics import METRICS

K = 10  # the cut-off of the metric that is chosen by
MOST_USERS = 5_000  # validation users that lists are made for
SLACK = 1.2  # a trial may take so many times as long as the longest one before it


@dataclass(frozen=True)
class Trial:
    """metrics: "ndcg@10" and others, means over the validation users; seconds: None where they are not known."""

    settings: dict[str, Value]
    metrics: dict[str, float]
    seconds: float | None


@dataclass(frozen=True)
class Tuned:
    """The best trial and its model, which saw problem.fit only; trials in the order in which they ran."""

    best: Trial
    fitted: Fitted
    trials: tuple[Trial, ...]


def trial_list(kind: ScorerKind, seed: int) -> list[dict[str, Value]]:
    """Every combination of the grid once: the defaults first."""
    combinations = [dict(zip(kind.grid, values, strict=True)) for values in itertools.product(*kind.grid.values())]
    order = np.random.default_rng(seed).permutation(len(combinations) - 1) + 1
    return [combinations[0], *(combinations[place] for place in order)]


def search(
    kind: ScorerKind,
    problem: Problem,
    *,
    seed: int,
    progress: Progress,
    budget_s: float,
    trials: int | None = None,
) -> Tuned:
    """The first `trials` trials, or without it as many as fit in the budget (at least one); the best by NDCG@10.

    Among equals the first. Without users to validate on only the defaults are tried.
    """
    began = time.perf_counter()
    listed = trial_list(kind, seed)
    users = validation_users(problem.targets, seed)
    seen = seen_pairs(problem.fit)
    ran: list[Trial] = []
    best: tuple[Trial, Fitted] | None = None
    for settings in listed[: trials or len(listed)] if len(users) else listed[:1]:
        longest = max((trial.seconds or 0.0 for trial in ran), default=0.0)
        if trials is None and ran and time.perf_counter() - began + longest * SLACK > budget_s:
            break
        started = time.perf_counter()
        fitted = kind.fit(problem.fit, settings, seed, Titled(progress, _title(len(ran) + 1, best)))
        metrics = validation_metrics(fitted, users, seen, problem.targets)
        ran.append(Trial(settings, metrics, time.perf_counter() - started))
        if best is None or metrics.get("ndcg@10", 0.0) > best[0].metrics.get("ndcg@10", 0.0):
            best = ran[-1], fitted
    assert best is not None
    return Tuned(best[0], best[1], tuple(ran))


@dataclass(frozen=True)
class Titled:
    """The same progress, each step's name after a title."""

    progress: Progress
    title: str

    def step(self, name: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        return self.progress.step(f"{self.title}: {name}", total)


def _title(number: int, best: tuple[Trial, Fitted] | None) -> str:
    so_far = f", NDCG@10 {best[0].metrics.get('ndcg@10', 0.0):.4f} so far" if best else ""
    return f"Trial {number}{so_far}"


def validation_users(targets: sp.csr_array, seed: int) -> Users:
    """The users with something to find, at most MOST_USERS of them by seed, ascending."""
    users = users_with(targets)
    return np.sort(np.random.default_rng(seed).permutation(users)[:MOST_USERS])


def validation_metrics(fitted: Fitted, users: Users, seen: sp.csr_array, targets: sp.csr_array) -> dict[str, float]:
    """Means over the users, at 10; nothing without users."""
    if len(users) == 0:
        return {}
    hits, wanted = hits_of(ranked_lists(fitted, users, seen, K), targets)
    return {f"{name}@{K}": float(METRICS[name](hits, wanted, K).mean()) for name in ("ndcg", "recall", "mrr", "hit")}
