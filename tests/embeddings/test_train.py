"""Training on a checkerboard, whose answer is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from domain.errors import NothingToTrain, WorseModel
from domain.snapshot import Interactions
from embeddings.artifact import current_version, held_back, load_artifact, switch_current
from embeddings.comparison import NDCG, NUM_USERS, compare, refuse_worse
from embeddings.holdout import matrix_of, pairs_of
from embeddings.settings import EncoderSettings, LinearSettings, TrainSettings
from embeddings.together import taken_together
from embeddings.train import train, train_model
from embeddings.weighting import trust_in
from recommend.history import Histories, Weighted
from recommend.score import NewItem, Scorer
from tests.embeddings.checkerboard import ITEMS, USERS, checkerboard, missed

QUICK = TrainSettings(encoder=EncoderSettings(dim=8, steps=60, own_dropout=0.2))
MANY_ITEMS = TrainSettings(
    linear=LinearSettings(whole_up_to=0, session=False, rank=8, ridges=(0.1,)),
    encoder=EncoderSettings(dim=8, steps=20, svd_start=True, temperature=0.2, most_compared=30),
)


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def scorer(models_dir: Path) -> Scorer:
    trained = train(checkerboard(), models_dir, settings=QUICK)
    switch_current(models_dir, trained.version)
    return Scorer(load_artifact(models_dir))


@pytest.mark.parametrize("settings", [QUICK, MANY_ITEMS], ids=["whole", "product"])
def test_withheld_squares_come_first(settings: TrainSettings, tmp_path: Path) -> None:
    trained = train(checkerboard(), tmp_path, settings=settings)
    scorer = Scorer(load_artifact(tmp_path, trained.version))
    snapshot = checkerboard()
    histories = Histories(snapshot.interactions, USERS)
    found = 0
    for user in range(USERS):
        events = histories[user]
        allowed = np.ones(ITEMS, bool)
        allowed[events.item_rows] = False
        top = scorer.top(scorer.score(scorer.weigh(events)).total, 4, allowed)
        found += sum(1 for item in top if (user - item) % 2 == 0 and missed(user, int(item)))
    assert found >= 0.95 * 4 * USERS


def test_what_was_taken_together_is_served_where_it_counts(tmp_path: Path) -> None:
    """Of a poor encoder validation says that others tell first events better; of a good one that they do not."""
    poor, snapshot = TrainSettings(encoder=EncoderSettings(dim=4, steps=10)), checkerboard()
    artifact = load_artifact(tmp_path, train(snapshot, tmp_path, settings=poor).version)
    weights, normalisation = artifact.weights, artifact.manifest.normalisation
    assert normalisation.together_short > 0
    expected = taken_together(matrix_of(pairs_of(snapshot, snapshot.interactions, half_life_days=None), snapshot))
    assert weights.together_data is not None
    parts = (weights.together_data.astype(np.float32), weights.together_indices, weights.together_indptr)
    np.testing.assert_allclose(sp.csr_array(parts, shape=expected.shape).toarray(), expected.toarray(), rtol=1e-3)

    first = Weighted(np.array([0], np.int32), np.ones(1, np.float32))
    trust = trust_in(1.0, normalisation.half_size)
    share = (1 - trust) * normalisation.together_short + trust * normalisation.together_whole
    assert weights.behaviour_rows is not None
    stated = (trust * weights.behaviour_rows[0] + share * expected.toarray()[0]) * weights.target_scale
    np.testing.assert_allclose(Scorer(artifact).score(first).behaviour, stated, rtol=2e-3, atol=1e-4)

    assert train_model(snapshot).weights.together_data is None


def test_the_taste_part_alone_knows_the_pattern(scorer: Scorer) -> None:
    histories = Histories(checkerboard().interactions, USERS)
    for user in (0, 1, 30, 31):
        taste = scorer.score(scorer.weigh(histories[user])).taste
        assert taste[user % 2 :: 2].min() > taste[1 - user % 2 :: 2].max()


def test_a_user_is_near_the_entity_of_their_items(scorer: Scorer) -> None:
    snapshot = checkerboard()
    histories = Histories(snapshot.interactions, USERS)
    even, odd = snapshot.entity_row["Colour:even"], snapshot.entity_row["Colour:odd"]
    assert scorer.entity_affinity(scorer.weigh(histories[0]))[even] > 0.5
    assert scorer.entity_affinity(scorer.weigh(histories[0]))[odd] < 0


def test_a_new_item_is_found_by_its_edges(scorer: Scorer) -> None:
    snapshot = checkerboard()
    even, odd = snapshot.entity_row["Colour:even"], snapshot.entity_row["Colour:odd"]
    grown = scorer.with_items([NewItem("new-even", [(0, even)]), NewItem("new-odd", [(0, odd)])])
    histories = Histories(snapshot.interactions, USERS)
    scores = grown.score(grown.weigh(histories[0]))
    assert scores.total[ITEMS] > scores.total[ITEMS + 1]
    assert scores.taste[ITEMS] > scores.taste[ITEMS + 1]
    assert scores.entity[ITEMS] > 0 == scores.entity[ITEMS + 1]


def test_a_known_item_composed_of_its_edges_is_near_itself(scorer: Scorer) -> None:
    snapshot = checkerboard()
    edges = [(0, snapshot.entity_row["Colour:even"]), (1, snapshot.entity_row["Shape:0"])]
    grown = scorer.with_items([NewItem("again", edges)])
    assert grown.item_vectors[ITEMS] @ grown.item_vectors[0] > 0.5
    np.testing.assert_allclose(grown.weights.features_data[-2:], scorer.weights.features_data[:2], rtol=1e-5)


def test_equal_seeds_give_equal_weights() -> None:
    first, second, other = (train_model(checkerboard(), seed=seed, settings=QUICK).weights for seed in (3, 3, 4))
    for name, array in first.arrays().items():
        assert np.array_equal(array, getattr(second, name)), name
    assert not np.array_equal(first.taste_context, other.taste_context)


def test_the_loss_falls() -> None:
    long, short = (
        train_model(checkerboard(), settings=TrainSettings(encoder=EncoderSettings(dim=8, steps=steps)))
        for steps in (120, 4)
    )
    assert (
        long.metrics["encoder_loss"] < short.metrics["encoder_loss"] - 0.3
    )  # half of the items are ruled out: at best log 2 below the start


def test_training_does_not_switch(models_dir: Path, scorer: Scorer) -> None:
    before = current_version(models_dir)
    train(checkerboard(), models_dir, settings=QUICK)
    assert current_version(models_dir) == before == scorer.version


def test_nothing_to_train(tmp_path: Path) -> None:
    snapshot = checkerboard()
    events = snapshot.interactions
    alone = Interactions(*(getattr(events, name)[:5] for name in ("user_rows", "item_rows", "kinds", "values", "at")))
    with pytest.raises(NothingToTrain, match="only 1 users and 5 items"):
        train(replace(snapshot, interactions=alone), tmp_path)


def test_a_worse_model_is_held_back(models_dir: Path, scorer: Scorer) -> None:
    current = load_artifact(models_dir)
    serving = current.manifest.metrics[NDCG]
    version = train(checkerboard(), models_dir, settings=QUICK, force=True).version
    assert current.manifest.metrics[NUM_USERS] == 60
    refuse_worse(version, compare({NDCG: serving}, models_dir), models_dir)
    assert held_back(models_dir, version) is None
    with pytest.raises(WorseModel, match="--force"):
        refuse_worse(version, compare({NDCG: 0.9 * serving}, models_dir), models_dir)
    why = held_back(models_dir, version)
    assert why is not None
    assert f"{0.9 * serving:.4f}" in why
    assert current_version(models_dir) == current.version


@pytest.mark.parametrize(
    ("metrics", "why"),
    [
        ({}, "it was validated on nobody"),
        ({NDCG: 0.0, NUM_USERS: 19.0}, "it was validated on 19 users, and 20 are needed"),
    ],
)
def test_a_model_without_validation_users_enough_is_published_and_says_that_it_was_not_compared(
    models_dir: Path, scorer: Scorer, metrics: dict[str, float], why: str
) -> None:
    found = compare(metrics, models_dir)
    assert (found.served, found.verdict) == (scorer.version, "not compared")
    assert why in found.text
    refuse_worse("any", found, models_dir)


def test_the_manifest_says_what_a_model_was_compared_with(models_dir: Path, scorer: Scorer, tmp_path: Path) -> None:
    second = train(checkerboard(), models_dir, settings=QUICK)
    kept = load_artifact(models_dir, second.version).manifest.comparison
    assert kept is not None
    assert (kept.served, kept.verdict, kept) == (scorer.version, "as good", second.comparison)
    first = train(checkerboard(), tmp_path, settings=QUICK).comparison
    assert (first.served, first.verdict) == (None, "not compared")
