"""Scores: exact splits, order, and no torch."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import scipy.sparse as sp

from embeddings.alike import Alike
from embeddings.artifact import Artifact, load_artifact
from embeddings.holdout import matrix_of, pairs_of
from embeddings.settings import EncoderSettings, LinearSettings, TrainSettings
from embeddings.together import taken_together
from embeddings.train import train
from recommend.history import Histories, UserEvents, Weighted
from recommend.score import NewItem, Scorer
from tests.embeddings.checkerboard import ITEMS, USERS, checkerboard
from tests.recommend.small_model import small_artifact

SHAPES = {
    "whole": TrainSettings(encoder=EncoderSettings(dim=4, steps=10)),
    "product": TrainSettings(
        linear=LinearSettings(whole_up_to=0, session=False, rank=8, ridges=(0.1,)),
        encoder=EncoderSettings(dim=4, steps=10, svd_start=True, temperature=0.2),
    ),
}


def normalised(artifact: Artifact, **how: float) -> Artifact:
    normalisation = msgspec.structs.replace(artifact.manifest.normalisation, **how)
    return replace(artifact, manifest=msgspec.structs.replace(artifact.manifest, normalisation=normalisation))


def trained(folder: Path, shape: str) -> Artifact:
    """A model that trusts every history, and in which N counts ½ in long histories and 2 in short ones."""
    snapshot = checkerboard()
    made = load_artifact(folder, train(snapshot, folder, settings=SHAPES[shape]).version)
    pairs = pairs_of(snapshot, snapshot.interactions, half_life_days=None)
    together = taken_together(matrix_of(pairs, snapshot))
    arrays = {
        "together_indptr": together.indptr.astype(np.int64),
        "together_indices": together.indices.astype(np.int32),
        "together_data": together.data.astype(np.float16),
    }
    made = replace(made, weights=replace(made.weights, **arrays))
    return normalised(made, half_size=0.0, together_whole=0.5, together_short=2.0)


@pytest.fixture(scope="module", params=SHAPES)
def artifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return trained(tmp_path_factory.mktemp(str(request.param)), request.param)


@pytest.fixture(scope="module")
def mixed() -> Weighted:
    """Liked, seen only, disliked."""
    return Weighted(np.array([0, 3, 4, 9], np.int32), np.array([1.0, 0.0, 2.0, -0.5], np.float32))


def test_the_parts_sum_to_the_total(artifact: Artifact, mixed: Weighted) -> None:
    scores = Scorer(artifact).score(mixed)
    parts = scores.entity + scores.behaviour + scores.taste + scores.popularity
    np.testing.assert_allclose(parts, scores.total, atol=1e-4)
    for part in (scores.entity, scores.behaviour, scores.taste, scores.popularity):
        assert np.abs(part).max() > 0


def test_terms_sum_to_their_parts_for_every_item(artifact: Artifact, mixed: Weighted) -> None:
    scorer = Scorer(artifact).with_items([NewItem("new", [(0, 0), (1, 5)])])
    scores = scorer.score(mixed)
    for item in range(ITEMS + 1):
        entity = sum(term.value for term in scorer.entity_terms(mixed, item))
        assert entity == pytest.approx(float(scores.entity[item]), abs=1e-4)
        behaviour = scorer.behaviour_terms(mixed, item)
        assert behaviour.shape == (4,)
        assert float(behaviour.sum()) == pytest.approx(float(scores.behaviour[item]), abs=2e-4)
        assert behaviour[1] == 0  # only seen


def test_a_history_of_the_half_size_counts_half_beside_popularity(artifact: Artifact, mixed: Weighted) -> None:
    """Σ w² is 1 + 4 + 0.25. N then counts ½ · ½ + ½ · 2."""
    rest = Scorer(normalised(artifact, together_whole=0.0)).score(mixed).behaviour
    whole, halved = Scorer(artifact), Scorer(normalised(artifact, half_size=5.25))
    before, after = whole.score(mixed), halved.score(mixed)
    together = 2 * (before.behaviour - rest)
    assert np.abs(together).max() > 0.01
    np.testing.assert_allclose(after.behaviour, rest / 2 + 1.25 * together, atol=1e-5)
    for part in ("entity", "taste"):
        np.testing.assert_allclose(getattr(after, part), getattr(before, part) / 2, atol=1e-5)
    np.testing.assert_array_equal(after.popularity, before.popularity)
    amounts = halved.amounts(mixed, np.arange(ITEMS)).sum(axis=0)
    np.testing.assert_allclose(amounts, after.total - after.popularity, atol=2e-4)
    for item in range(ITEMS):
        entity = sum(term.value for term in halved.entity_terms(mixed, item))
        assert entity == pytest.approx(float(after.entity[item]), abs=1e-4)
        assert halved.behaviour_terms(mixed, item).sum() == pytest.approx(float(after.behaviour[item]), abs=2e-4)
    tastes = ([0], [1.0])
    np.testing.assert_array_equal(halved.from_tastes(*tastes).total, whole.from_tastes(*tastes).total)


def test_taste_can_be_a_cosine(mixed: Weighted, tmp_path: Path) -> None:
    scorer = Scorer(trained(tmp_path, "product"))
    scorer = scorer.with_items([NewItem("new", [(0, 0), (1, 5)])])
    taste, user = scorer.score(mixed).taste, scorer.user_vector(mixed)
    np.testing.assert_allclose(taste, scorer.normalisation.taste_length * (scorer.item_vectors @ user), atol=1e-5)
    twice = Weighted(mixed.item_rows, 2 * mixed.weights)
    np.testing.assert_allclose(scorer.score(twice).taste, taste, atol=1e-5)


def test_an_item_is_no_reason_for_itself(artifact: Artifact, mixed: Weighted) -> None:
    scorer = Scorer(artifact)
    assert all(term.event_item_row != 4 for term in scorer.entity_terms(mixed, 4))
    assert scorer.behaviour_terms(mixed, 4)[2] == 0


def test_a_new_item_as_an_event_counts_by_its_edges(artifact: Artifact) -> None:
    scorer = Scorer(artifact).with_items([NewItem("new", [(0, 0)])])
    scores = scorer.score(Weighted(np.array([ITEMS], np.int32), np.ones(1, np.float32)))
    assert np.all(scores.behaviour == 0)
    assert scores.entity[0] > 0 == scores.entity[1]  # of the same colour, of the other


def test_masking_an_event_takes_away_exactly_its_terms() -> None:
    scorer = Scorer(small_artifact())  # nothing is normalised: removal leaves all other terms as they are
    row = {item: place for place, item in enumerate(scorer.item_ids)}
    both = Weighted(np.array(sorted([row["pulp"], row["alien"]]), np.int32), np.ones(2, np.float32))
    one = Weighted(np.array([row["alien"]], np.int32), np.ones(1, np.float32))
    target = row["diehard"]
    fall = scorer.score(both).total[target] - scorer.score(one).total[target]
    terms = [term.value for term in scorer.entity_terms(both, target) if term.event_item_row == row["pulp"]]
    place = both.item_rows.tolist().index(row["pulp"])
    stated = sum(terms) + scorer.behaviour_terms(both, target)[place]
    taste = scorer.score(both).taste[target] - scorer.score(one).taste[target]
    assert fall == pytest.approx(stated + taste, abs=1e-5)


def test_stated_tastes_lift_what_has_them(artifact: Artifact) -> None:
    scorer = Scorer(artifact)
    even = artifact.snapshot.entity_row["Colour:even"]
    scores = scorer.from_tastes([even], [1.0])
    assert scores.entity[::2].min() > scores.entity[1::2].max() == 0
    terms = scorer.taste_terms([even], [1.0], 0)
    assert [(term.event_item_row, term.relation_code, term.entity_row) for term in terms] == [(-1, 0, even)]
    assert terms[0].value == pytest.approx(float(scores.entity[0]), abs=1e-5)


def test_without_events_only_popularity_is_left(artifact: Artifact) -> None:
    scorer = Scorer(artifact)
    scores = scorer.score(scorer.weigh(UserEvents.empty()))
    assert np.array_equal(scores.total, scores.popularity)


def test_equal_scores_are_ordered_by_item_id(artifact: Artifact) -> None:
    scorer = Scorer(artifact).with_items([NewItem("i05x", []), NewItem("a", [])])
    scores = np.zeros(ITEMS + 2, np.float32)
    scores[7] = 1
    allowed = np.ones(ITEMS + 2, bool)
    allowed[0] = False
    ranked = [scorer.item_ids[row] for row in scorer.top(scores, 8, allowed)]
    assert ranked == ["i07", "a", "i01", "i02", "i03", "i04", "i05", "i05x"]
    assert len(scorer.top(scores, 100)) == ITEMS + 2
    assert len(scorer.top(scores, 0)) == 0


def test_evidence_counts_users_who_took_both(artifact: Artifact) -> None:
    snapshot = checkerboard()
    events = snapshot.interactions
    taken = [set(events.item_rows[events.user_rows == user].tolist()) for user in range(USERS)]
    scorer = Scorer(artifact).with_items([NewItem("new", [])])
    assert scorer.evidence(0, 4) == sum(1 for items in taken if {0, 4} <= items)
    assert scorer.evidence(0, 1) == 0
    assert scorer.evidence(0, ITEMS) == 0


def test_training_and_serving_weigh_alike(artifact: Artifact) -> None:
    events = Histories(checkerboard().interactions, USERS)[7]
    weighted = Scorer(artifact).weigh(events)
    assert weighted.item_rows.tolist() == sorted(events.item_rows.tolist())
    assert weighted.weights.tolist() == [1.0] * len(events)


def test_serving_needs_no_torch(artifact: Artifact) -> None:
    program = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "sys.modules['torch_geometric'] = None\n"
        "from pathlib import Path\n"
        "from embeddings.artifact import load_artifact\n"
        "from recommend.history import Histories\n"
        "from recommend.score import Scorer\n"
        "artifact = load_artifact(Path(sys.argv[1]), sys.argv[2])\n"
        "scorer = Scorer(artifact)\n"
        "events = Histories(artifact.snapshot.interactions, 60)[0]\n"
        "print(scorer.top(scorer.score(scorer.weigh(events)).total, 1)[0] % 2)\n"
    )
    arguments = [sys.executable, "-c", program, str(artifact.path.parent), artifact.version]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout.strip()) == (0, "0"), done.stderr


def test_a_new_item_borrows_the_residual_of_the_items_it_is_like() -> None:
    artifact = small_artifact()
    trained = replace(artifact, weights=replace(artifact.weights, borrow_slopes=np.array([1.0, 1.0], np.float32)))
    rows, codes = artifact.snapshot.item_row, artifact.snapshot.declaration.relation_code
    willis = (codes["ACTED_BY"], artifact.snapshot.entity_row["Actor:willis"])
    scorer = Scorer(trained).with_items([NewItem("new", [willis])])
    new, liked = len(rows), Weighted(np.array([rows["pulp"]], np.int32), np.ones(1, np.float32))
    weights = trained.weights
    parts = (weights.features_data, weights.features_indices, weights.features_indptr)
    features = sp.csr_array(parts, shape=(new, len(weights.feature_idf)))
    pairs = list(zip(weights.feature_relations.tolist(), weights.feature_entities.tolist(), strict=True))
    alike = Alike.of(features, weights.feature_idf, np.diff(weights.takers_indptr) > 0)
    found = alike.borrow(np.array([pairs.index(willis)]))
    share = dict(zip(found.rows.tolist(), found.weights.tolist(), strict=True))[rows["diehard"]]
    assert share > 0
    assert scorer.behaviour_terms(liked, new).tolist() == pytest.approx([2 * share])  # pulp -> diehard is 2
    assert scorer.score(liked).behaviour[new] == pytest.approx(2 * share)
