"""What adapting to a user's newest events gives, on validation data: a blend with the visit, and fold-in steps.

    python benchmarks/adaptation.py movies --users 350
    python benchmarks/adaptation.py retail --users 400

A model is trained on the earlier part (movies: the first 80 % of each user's ratings; retail: to the end of October
2017). Then later moments are played back: with all of a user's events before the moment, which of the next ones
(movies: the next 10 ratings of 4 and 5; retail: the other half of the basket) that are new to the user are found?
NDCG@20 over all unseen items, and the mean difference to plain weights with its 95 % interval.

blend: recommend.adapt with several shares. fold-in: Adam steps on multipliers (at least 0) of the newest 50 items'
weights, on the cross-entropy of the user's own items among all, each scored without its own term.
Writes benchmarks/results/adaptation_<demo>.json.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from quality_demos import NOVEMBER, demo_snapshot

from domain.snapshot import Interactions, Snapshot
from embeddings.artifact import load_artifact
from embeddings.train import train
from recommend.adapt import NEWEST, blended
from recommend.history import UserEvents, Weighted
from recommend.score import Scorer
from recommend.subject import PAUSE_MS

RESULTS = Path(__file__).parent / "results"
DISCOUNTS = 1 / np.log2(np.arange(2, 22))
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
FOLDS = ((3, 0.02, 0.0), (3, 0.1, 0.0), (5, 0.05, 0.01), (5, 0.1, 0.0))  # steps, rate, pull towards 1
FOLDED = 50
COLUMNS = ("user_rows", "item_rows", "kinds", "values", "at")
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Moment:
    """Rows of the snapshot's interactions: what the user did before, in time order, and what they did next."""

    before: Rows
    following: Rows


def moments(
    snapshot: Snapshot, demo: str, users: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], list[Moment]]:
    """(n,) which events train, and up to four moments of each of some users."""
    events = snapshot.interactions
    starts = np.searchsorted(events.user_rows, np.arange(len(snapshot.user_ids) + 1))
    train_rows, found = np.zeros(len(events), np.bool_), list[Moment]()
    chosen = set(rng.permutation(len(snapshot.user_ids))[:users].tolist())
    for user in range(len(snapshot.user_ids)):
        rows = np.arange(starts[user], starts[user + 1])
        rows = rows[np.argsort(events.at[rows], kind="stable")]
        cut = int(np.ceil(0.8 * len(rows))) if demo == "movies" else int((events.at[rows] < NOVEMBER).sum())
        train_rows[rows[:cut]] = True
        if user in chosen and cut < len(rows):
            make = _sittings if demo == "movies" else _baskets
            found += make(events, rows, cut, rng)
    return train_rows, found


def _sittings(events: Interactions, rows: Rows, cut: int, rng: np.random.Generator) -> list[Moment]:  # noqa: ARG001
    places = np.unique(np.linspace(cut, len(rows) - 1, 4).astype(int))
    return [Moment(rows[:place], rows[place : place + 10]) for place in places]


def _baskets(events: Interactions, rows: Rows, cut: int, rng: np.random.Generator) -> list[Moment]:
    found: list[Moment] = []
    for at in rng.permutation(np.unique(events.at[rows[cut:]]))[:3]:
        basket = rng.permutation(rows[events.at[rows] == at])
        half = len(basket) // 2
        if half >= 2:
            found.append(Moment(np.append(rows[events.at[rows] < at], basket[:half]), basket[half:]))
    return found


class Player:
    """Scores moments with weights that a function makes of the plain ones."""

    def __init__(self, snapshot: Snapshot, scorer: Scorer) -> None:
        self.events, self.scorer = snapshot.interactions, scorer

    def weigh(self, rows: Rows) -> Weighted:
        events = self.events
        return self.scorer.weigh(UserEvents(*(getattr(events, name)[rows] for name in COLUMNS[1:])))

    def ndcg(self, moment: Moment, weighted: Weighted) -> float | None:
        """None where nothing new was liked."""
        seen = np.unique(self.events.item_rows[moment.before])
        following = self.weigh(moment.following)
        targets = np.setdiff1d(following.item_rows[following.weights > 0], seen)
        if not len(targets):
            return None
        scores = self.scorer.score(weighted).total.copy()
        scores[seen] = -np.inf
        top = np.argsort(-scores, kind="stable")[: len(DISCOUNTS)]
        return float(DISCOUNTS[np.isin(top, targets)].sum() / DISCOUNTS[: len(targets)].sum())

    def visit(self, rows: Rows) -> NDArray[np.int32]:
        """The newest items of the visit that the last event belongs to."""
        pauses = np.flatnonzero(np.diff(self.events.at[rows]) > PAUSE_MS)
        since = rows[pauses[-1] + 1 :] if len(pauses) else rows
        newest = self.events.item_rows[since][::-1]
        return newest[np.sort(np.unique(newest, return_index=True)[1])][:NEWEST]

    def folded(self, rows: Rows, steps: int, rate: float, pull: float) -> Weighted:
        """The weights after Adam steps on their multipliers."""
        plain = self.weigh(rows)
        newest = {int(item): place for place, item in enumerate(self.events.item_rows[rows])}
        liked = np.flatnonzero(plain.weights > 0).tolist()
        own = np.array(sorted(liked, key=lambda place: -newest[int(plain.item_rows[place])])[:FOLDED], np.int64)
        if len(own) < 5:
            return plain
        items, terms = plain.item_rows[own], self._terms(plain, own)
        weights = plain.weights[own].astype(np.float64)
        rest = self.scorer.score(plain).total - weights @ terms
        rest[np.setdiff1d(plain.item_rows, items)] = -np.inf
        target, own_terms = weights / weights.sum(), terms[np.arange(len(own)), items]
        factors, moment, square = np.ones(len(own)), np.zeros(len(own)), np.zeros(len(own))
        for step in range(1, steps + 1):
            scores = rest + (weights * factors) @ terms
            scores[items] -= own_terms * weights * factors
            error = np.exp(scores - scores.max())
            error /= error.sum()
            error[items] -= target
            slope = weights * (terms @ error - own_terms * error[items]) + pull * (factors - 1)
            moment, square = 0.9 * moment + 0.1 * slope, 0.999 * square + 0.001 * slope**2
            scaled = np.sqrt(square / (1 - 0.999**step)) + 1e-9
            factors = np.maximum(factors - rate * moment / (1 - 0.9**step) / scaled, 0)
        changed = plain.weights.astype(np.float64)
        changed[own] = weights * factors
        changed *= np.linalg.norm(plain.weights) / max(float(np.linalg.norm(changed)), 1e-9)
        return Weighted(plain.item_rows, changed.astype(np.float32))

    def _terms(self, plain: Weighted, own: Rows) -> NDArray[np.float64]:
        """(k, I) what one unit of weight of each item gives every item, under the user's own scale."""
        amounts = self.scorer.amounts(plain, np.arange(len(self.scorer.item_ids)))[own]
        return np.asarray(amounts / plain.weights[own, None], np.float64)


def compare(player: Player, found: list[Moment]) -> dict[str, dict[str, float]]:
    """Variant -> its NDCG@20 and the difference to plain weights."""
    variants: dict[str, Callable[[Moment], Weighted]] = {"plain": lambda one: player.weigh(one.before)}
    for share in SHARES:
        variants[f"blend {share}"] = lambda one, share=share: blended(
            player.weigh(one.before), player.visit(one.before), share
        )
    for fold in FOLDS:
        variants[f"fold-in, {fold[0]} steps, rate {fold[1]}, pull {fold[2]}"] = lambda one, fold=fold: player.folded(
            one.before, *fold
        )
    results: dict[str, dict[str, float]] = {}
    plain: NDArray[np.float64] | None = None
    for name, make in variants.items():
        scored = [player.ndcg(one, make(one)) for one in found]
        values = np.array([value for value in scored if value is not None])
        plain = values if plain is None else plain
        gain = values - plain
        interval = 1.96 * gain.std() / np.sqrt(len(gain))
        results[name] = {"ndcg@20": values.mean(), "difference": gain.mean(), "interval": interval, "n": len(values)}
        results[name] = {key: round(float(value), 4) for key, value in results[name].items()}
        print(f"{name:40} " + "  ".join(f"{key} {value:g}" for key, value in results[name].items()), flush=True)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", choices=["movies", "retail"])
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"))
    parser.add_argument("--users", type=int, default=350)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    snapshot = demo_snapshot(options.demo, options.cache)
    kept, found = moments(snapshot, options.demo, options.users, np.random.default_rng(0))
    part = Interactions(*(getattr(snapshot.interactions, name)[kept] for name in COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        trained = train(replace(snapshot, interactions=part), Path(folder), seed=0)
        results = compare(Player(snapshot, Scorer(load_artifact(Path(folder), trained.version))), found)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"adaptation_{options.demo}.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
