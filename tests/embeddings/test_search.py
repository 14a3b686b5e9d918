"""The search for hyperparameters: a fixed list of trials, of which a budget or a number takes the first."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from domain.progress import Silent
from embeddings.artifact import switch_current
from embeddings.fit_linear import LinearProblem
from embeddings.fitting import Fitting
from embeddings.search import COPIES, GRAPH_COST, Search, search, trial_list
from embeddings.settings import EncoderSettings, LinearSettings, TrainSettings, cosine_encoder, settings_for
from embeddings.train import NDCG, saved_settings, train, train_model
from embeddings.validation import UNCHOSEN, validation_of
from tests.embeddings.checkerboard import ITEMS, USERS, checkerboard, missed

QUICK = TrainSettings(
    linear=LinearSettings(ridges=(0.1, 0.4)), encoder=EncoderSettings(dim=4, steps=5, svd_start=False)
)
MISSED = {
    user: np.array([item for item in range(ITEMS) if (user - item) % 2 == 0 and missed(user, item)])
    for user in range(USERS)
}


def test_the_seed_fixes_the_list_of_trials_and_none_comes_twice() -> None:
    cosine = cosine_encoder(USERS, ITEMS)
    listed = trial_list(QUICK, cosine, seed=3)
    assert listed == trial_list(QUICK, cosine, seed=3)
    assert listed != trial_list(QUICK, cosine, seed=4)
    assert len({*listed, QUICK.linear, QUICK.encoder}) == len(listed) + 2


def test_encoders_of_both_kinds_are_tried() -> None:
    encoders = [
        part for part in trial_list(QUICK, cosine_encoder(USERS, ITEMS), seed=0) if isinstance(part, EncoderSettings)
    ]
    kinds = [encoder.temperature is not None for encoder in encoders[:4]]
    assert kinds == [True, True, False, True]


def test_the_same_number_of_trials_gives_the_same_model() -> None:
    first, again = (train_model(checkerboard(), settings=QUICK, trials=2) for _ in range(2))
    assert first.settings == again.settings
    assert first.settings["trials"] == 2
    for name, array in first.weights.arrays().items():
        assert np.array_equal(array, getattr(again.weights, name)), name


def test_a_budget_only_ends_the_list_early() -> None:
    snapshot = checkerboard()
    fitting, held = Fitting.of(snapshot, 0, Silent()), validation_of(snapshot, None, QUICK, 0)
    budgeted = search(fitting, held, QUICK, budget_s=0.0)
    assert budgeted.trials == 1
    counted = search(fitting, held, QUICK, trials=1)
    assert (budgeted.settings, budgeted.chosen) == (counted.settings, counted.chosen)


def test_more_trials_are_never_worse_on_the_validation_part() -> None:
    snapshot = checkerboard()
    run = Search(Fitting.of(snapshot, 0, Silent()), validation_of(snapshot, None, QUICK, 0), QUICK)
    run.start()
    first = run.chosen.ndcg
    run.run(trial_list(QUICK, cosine_encoder(USERS, ITEMS), seed=0)[:2], None)
    assert run.ran == 3
    assert run.chosen.ndcg >= first


def test_what_was_searched_is_the_mean_of_two_encoders_from_different_starts() -> None:
    snapshot = checkerboard()
    fitting, held = Fitting.of(snapshot, 0, Silent()), validation_of(snapshot, MISSED, QUICK, 0)
    found = search(fitting, held, QUICK, trials=2)
    assert found.settings.encoder.copies == COPIES == 2
    again = fitting.encode(held.fit, held.matrix, found.settings, "")
    assert found.encoded is not None
    np.testing.assert_array_equal(found.encoded.targets, again.targets)
    first, second = np.split(again.targets, 2, axis=1)
    assert not np.allclose(first, second)
    alone = fitting.encode(held.fit, held.matrix, with_copies(found.settings, 1), "")
    np.testing.assert_allclose(alone.targets / np.sqrt(2), first, rtol=1e-5)


def with_copies(settings: TrainSettings, copies: int) -> TrainSettings:
    return msgspec.structs.replace(settings, encoder=msgspec.structs.replace(settings.encoder, copies=copies))


@pytest.mark.parametrize(
    ("ridges", "best", "tried"),
    [
        ((0.05, 0.1), 0.4, [0.05, 0.1, 0.2, 0.4, 0.8]),
        ((0.2, 0.4), 0.05, [0.2, 0.4, 0.1, 0.05, 0.025]),
        ((0.1, 0.2, 0.4), 0.2, [0.1, 0.2, 0.4]),
        ((1.0, 2.0), 1e9, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]),  # so far and no further
        ((0.1,), 0.2, [0.1]),
    ],
)
def test_the_search_for_a_ridge_goes_on_while_the_best_is_at_the_end(
    ridges: tuple[float, ...], best: float, tried: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By lists that are the better the nearer the ridge is to the best."""
    asked, halved = list[float](), list[float]()

    def ndcg(_: Search, problem: LinearProblem, ridge: float, *, positive: bool) -> float:
        asked.append(ridge)
        halved.extend([ridge] * positive)
        return -abs(np.log(ridge / best))

    monkeypatch.setattr(Search, "_try_ridge", ndcg)
    snapshot = checkerboard()
    start = TrainSettings(linear=LinearSettings(ridges=ridges), encoder=QUICK.encoder)
    Search(Fitting.of(snapshot, 0, Silent()), validation_of(snapshot, None, start, 0), start).start()
    assert asked[:-1] == pytest.approx(tried)
    assert halved == asked[-1:] == [min(tried, key=lambda ridge: abs(np.log(ridge / best)))]


def test_the_graph_carries_as_much_as_costs_nothing() -> None:
    snapshot = checkerboard()
    fitting, held = Fitting.of(snapshot, 0, Silent()), validation_of(snapshot, None, QUICK, 0)
    narrow, wide = Search(fitting, held, QUICK), Search(fitting, held, QUICK)
    narrow.start()
    wide.start()
    wide.widen_graph()
    assert wide.settings.linear.prior_scale >= narrow.settings.linear.prior_scale
    assert wide.chosen.ndcg >= (1 - GRAPH_COST) * narrow.chosen.ndcg


def test_the_most_that_may_be_lost() -> None:
    better = replace(UNCHOSEN, ndcg=0.6, ndcgs=np.array([0.5, 0.7, 0.6]))
    worse = replace(UNCHOSEN, ndcg=0.3, ndcgs=np.array([0.2, 0.4, 0.3]))
    assert worse.loss_against(better) == pytest.approx(0.3 / 0.6)  # every user loses 0.3: no doubt about it
    assert better.loss_against(worse) == pytest.approx(-0.3 / 0.3)
    uneven = replace(UNCHOSEN, ndcg=0.6, ndcgs=np.array([0.5, 0.6, 0.7]))
    error = 0.1 / 3**0.5  # differences 0, −0.1, 0.1
    assert uneven.loss_against(better) == pytest.approx(1.96 * error / 0.6)


def test_a_given_validation_part_is_what_is_chosen_by_and_costs_no_data() -> None:
    other_colour = {user: MISSED[(user + 1) % USERS] for user in range(USERS)}
    right, wrong = (train_model(checkerboard(), settings=QUICK, validation=each) for each in (MISSED, other_colour))
    assert right.metrics[NDCG] > wrong.metrics[NDCG] + 0.15
    assert right.weights.takers_indptr[-1] == len(checkerboard().interactions)


def test_users_of_a_given_validation_part_without_a_history_choose_nothing() -> None:
    snapshot = checkerboard()
    held = validation_of(snapshot, {0: MISSED[0], 1: MISSED[1]}, QUICK, 0)
    assert held.users.tolist() == [0, 1]


def test_training_again_uses_what_was_found(tmp_path: Path) -> None:
    snapshot = checkerboard()
    tuned = train(snapshot, tmp_path, tune=True, trials=2)
    switch_current(tmp_path, tuned.version)
    saved = saved_settings(tmp_path, snapshot.declaration.fingerprint)
    assert saved is not None
    again = train(snapshot, tmp_path)
    switch_current(tmp_path, again.version)
    assert saved_settings(tmp_path, snapshot.declaration.fingerprint) == saved
    assert again.metrics == tuned.metrics
    assert saved_settings(tmp_path, "declared otherwise") is None


def test_training_starts_with_cosines_only_where_users_have_few_items_each() -> None:
    assert settings_for(100, 50, 50 * 19).encoder == cosine_encoder(50, 100)
    assert settings_for(100, 50, 50 * 20) == TrainSettings()
