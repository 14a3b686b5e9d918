"""Search, readings of ratings, ranked lists: each with the answer by hand."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from domain.progress import Progress, Silent
from domain.snapshot import Snapshot
from embeddings.scorers.contract import Floats, ScorerKind, Settings, Users
from embeddings.scorers.registry import SCORERS
from recommend.evaluate.cut import Problem
from recommend.evaluate.data import bench_data, pair_matrix
from recommend.evaluate.files import Part
from recommend.evaluate.lists import NOBODY, hits_of, ranked_lists
from recommend.evaluate.ratings import choose_reading, readings
from recommend.evaluate.search import search


@dataclass(frozen=True)
class Fixed:
    """The same scores for everyone."""

    scores: Floats

    def score(self, user_rows: Users) -> Floats:
        return np.tile(self.scores, (len(user_rows), 1))

    def contributions(self, user_row: int, item_row: int) -> dict[str, float]:
        return {"popularity": float(self.scores[item_row])}


def nothing(users: int, items: int) -> sp.csr_array:
    return sp.csr_array((users, items), dtype=np.float32)


def test_equal_scores_are_ordered_by_item_and_lists_may_be_short() -> None:
    fixed = Fixed(np.array([1, 3, 3, 0, 3], np.float32))
    left_out = pair_matrix(np.array([1, 1, 1]), np.array([1, 2, 3]), (2, 5))
    lists = ranked_lists(fixed, np.array([0, 1]), left_out, 3)
    assert lists.items.tolist() == [[1, 2, 4], [4, 0, NOBODY]]
    assert lists.scores.tolist() == [[3, 3, 3], [3, 1, 0]]


def test_padding_is_never_a_hit() -> None:
    lists = ranked_lists(Fixed(np.ones(2, np.float32)), np.array([0, 1]), nothing(2, 2), 4)
    hits, wanted = hits_of(lists, pair_matrix(np.array([0, 1]), np.array([1, 1]), (2, 2)))
    assert hits.tolist() == [[False, True, False, False]] * 2
    assert wanted.tolist() == [1, 1]


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        ranked_lists(Fixed(np.array([np.nan, 1], np.float32)), np.array([0]), nothing(1, 2), 1)


def problem(ratings: list[float] | None = None) -> Problem:
    """Ten users who took items 0 to 5; two are to find item 6, and eight item 7."""
    users = [f"u{user}" for user in range(10) for _ in range(6)]
    items = [f"i{item}" for _ in range(10) for item in range(6)]
    values = None if ratings is None else pl.Series(ratings * 10, dtype=pl.Float64)
    named = pl.Series(sorted(set(users)))
    train = Part(pl.Series(users), pl.Series(items), values, None, named)
    wanted = Part(named, pl.Series([f"i{7 if row % 5 else 6}" for row in range(10)]), None, None, named)
    data = bench_data(train, wanted, None)
    assert data.valid is not None
    return Problem(data.train, data.valid)


def places(best: int) -> ScorerKind:
    """A scorer whose setting "first" names the item that it puts first."""

    def fit(snapshot: Snapshot, settings: Settings, seed: int, progress: Progress) -> Fixed:
        scores = np.zeros(len(snapshot.item_ids), np.float32)
        scores[int(settings["first"])] = 1
        return Fixed(scores)

    return ScorerKind("places", "", {"first": tuple(range(best + 1))}, fit)


def test_the_search_finds_the_setting_that_ranks_best() -> None:
    """Whoever puts item 7 first satisfies eight users with rank 1, and two with rank 2; all others the reverse."""
    tuned = search(places(7), problem(), seed=3, progress=Silent(), budget_s=60)
    assert len(tuned.trials) == 8
    by_first = {trial.settings["first"]: trial.metrics["mrr@10"] for trial in tuned.trials}
    assert by_first[7] == pytest.approx(0.8 * 1 + 0.2 / 2)
    assert by_first[6] == by_first[0] == pytest.approx(0.8 / 2 + 0.2 * 1)  # the items they had are left out
    assert tuned.best.settings == {"first": 7}
    assert tuned.fitted.score(np.array([0])).argmax() == 7


def test_the_budget_only_cuts_the_list_and_trials_replays_it() -> None:
    one = search(places(7), problem(), seed=3, progress=Silent(), budget_s=0)
    assert [trial.settings for trial in one.trials] == [{"first": 0}]
    all_of_it = search(places(7), problem(), seed=3, progress=Silent(), budget_s=60)
    three = search(places(7), problem(), seed=3, progress=Silent(), budget_s=0, trials=3)
    assert [trial.settings for trial in three.trials] == [trial.settings for trial in all_of_it.trials[:3]]


def test_nobody_to_validate_on_means_the_defaults() -> None:
    whole = problem()
    shape = (10, 8)
    tuned = search(places(7), Problem(whole.fit, nothing(*shape)), seed=3, progress=Silent(), budget_s=60)
    assert tuned.best.settings == {"first": 0}
    assert tuned.best.metrics == {}


def test_ratings_are_read_by_their_shape() -> None:
    assert list(readings(problem().fit)) == ["equal"]
    assert list(readings(problem([1.0] * 6).fit)) == ["equal"]
    grades = readings(problem([1, 2, 3, 4, 5, 5]).fit)
    assert list(grades) == ["equal", "graded", "liked"]
    assert dict(grades["graded"].steps) == pytest.approx({5: 1, 4: 0.8, 3: 0.6, 2: 0.4, 1: 0.2})
    assert grades["liked"].steps == ((5.0, 1.0), (4.0, 0.5))


def test_many_distinct_values_are_a_quantity() -> None:
    whole = problem([1, 2, 3, 4, 5, 6])
    values = whole.fit.interactions.values
    values[:] = np.arange(1, len(values) + 1)
    ways = readings(whole.fit)
    assert list(ways) == ["equal", "log"]
    steps = dict(ways["log"].steps)
    assert steps[1.0] == pytest.approx(np.log1p(1) / np.log1p(30.5))


def test_the_reading_that_ranks_best_is_chosen() -> None:
    assert choose_reading(SCORERS["popular"], problem(), seed=0, progress=Silent()) == "equal"
    whole = problem([1, 1, 1, 1, 1, 5])
    # the valid items 6 and 7 have no takers: all readings rank alike, and the first is taken
    assert choose_reading(SCORERS["popular"], whole, seed=0, progress=Silent()) == "equal"
