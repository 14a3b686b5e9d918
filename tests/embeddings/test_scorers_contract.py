"""What every scorer of the bench must do, the served model included."""

from dataclasses import replace

import numpy as np
import pytest

from clew.bench_fused import tune_fused
from domain.progress import Silent
from domain.snapshot import Relations, Snapshot
from embeddings.scorers.contract import Fitted, Value
from embeddings.scorers.registry import FUSED, SCORERS
from recommend.evaluate.search import trial_list
from tests.embeddings.checkerboard import checkerboard, missed

QUICK: dict[str, Value] = {"epochs": 30, "steps": 60, "factors": 8, "dim": 8, "neighbours": 15, "batch": 512}
NEEDS_ATTRIBUTES = ("content", "ease-kg")
FITTED: dict[str, Fitted] = {}


def fit(name: str, snapshot: Snapshot, seed: int = 0) -> Fitted:
    if name == FUSED:
        return tune_fused(snapshot, None, seed=seed, progress=Silent(), budget_s=0, trials=1).fitted
    kind = SCORERS[name]
    settings = {key: QUICK.get(key, value) for key, value in kind.defaults().items()}
    return kind.fit(snapshot, settings, seed, Silent())


@pytest.fixture(scope="module")
def world() -> Snapshot:
    """The checkerboard, with the last user's events taken away: nobody is known less."""
    snapshot = checkerboard()
    kept = snapshot.interactions.user_rows < 59
    columns = ("user_rows", "item_rows", "kinds", "values", "at")
    events = replace(snapshot.interactions, **{name: getattr(snapshot.interactions, name)[kept] for name in columns})
    return replace(snapshot, interactions=events)


@pytest.fixture(params=[FUSED, *SCORERS])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fitted(name: str, world: Snapshot) -> Fitted:
    return of_name(name, world)


def of_name(name: str, world: Snapshot) -> Fitted:
    """Each scorer is fitted once, for all tests that only look at it."""
    if name not in FITTED:
        FITTED[name] = fit(name, world)
    return FITTED[name]


def test_every_user_has_a_finite_score_for_every_item(fitted: Fitted, world: Snapshot) -> None:
    rows = np.arange(len(world.user_ids))
    scores = fitted.score(rows)
    assert scores.shape == (60, 40)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


def test_a_block_is_scored_as_its_users_alone(fitted: Fitted) -> None:
    together = fitted.score(np.array([3, 7, 59]))
    alone = np.concatenate([fitted.score(np.array([row])) for row in (3, 7, 59)])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


def test_contributions_sum_to_the_score(fitted: Fitted) -> None:
    for user, item in ((0, 0), (0, 5), (3, 9), (7, 38), (59, 1)):
        score = float(fitted.score(np.array([user]))[0, item])
        assert sum(fitted.contributions(user, item).values()) == pytest.approx(score, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("taster", [each for each in (FUSED, *SCORERS) if each != "popular"])
def test_withheld_items_of_the_users_colour_come_before_the_others(taster: str, world: Snapshot) -> None:
    better = []
    for user, scores in enumerate(of_name(taster, world).score(np.arange(59))):
        ours = [item for item in range(40) if (user - item) % 2 == 0 and missed(user, item)]
        others = [item for item in range(40) if (user - item) % 2]
        better.append(np.mean([scores[mine] > scores[other] for mine in ours for other in others]))
    assert np.mean(better) > 0.9


def test_equal_seeds_give_equal_scores(name: str, fitted: Fitted, world: Snapshot) -> None:
    again = fit(name, world)
    np.testing.assert_array_equal(again.score(np.arange(5)), fitted.score(np.arange(5)))


def test_a_graph_is_not_needed_but_by_those_that_rank_by_it(name: str, world: Snapshot) -> None:
    bare = replace(world, relations=tuple(_empty(relation) for relation in world.relations))
    if name in NEEDS_ATTRIBUTES:
        with pytest.raises(Exception, match="--kg"):
            fit(name, bare)
    else:
        assert np.isfinite(fit(name, bare).score(np.array([0]))).all()


def test_the_defaults_are_the_first_trial_and_equal_seeds_give_equal_lists() -> None:
    for kind in SCORERS.values():
        listed = trial_list(kind, 7)
        assert listed[0] == kind.defaults()
        assert listed == trial_list(kind, 7)
        assert len({tuple(trial.items()) for trial in listed}) == len(listed)


def _empty(relation: Relations) -> Relations:
    return replace(relation, heads=relation.heads[:0], tails=relation.tails[:0], weights=relation.weights[:0])
