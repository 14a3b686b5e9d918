"""The faithfulness bench on the hand-written model, where every change can be worked out on paper."""

import dataclasses
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ingest.log import Log
from recommend.evaluate.faithfulness import Told, Truth, faithfulness, smoothed, spearman, stability, told_of
from recommend.evaluate.removal import Edge, edges_of, masked_change, only, rank_in, scores_without
from recommend.evaluate.shown import BEHAVIOUR, ENTITY, Asked, Served, Shown, ask, reasons_of, shown_of
from recommend.recommender import Recommender
from recommend.world import World
from tests.recommend.small_model import nameless_actors, small_artifact


@pytest.fixture(scope="module", params=[0.0, 4.0], ids=["trusted", "half trusted"])
def served(request: pytest.FixtureRequest) -> Served:
    """As it is, and where a history of size 4 counts half, and N gives Die Hard to who took Pulp Fiction."""
    artifact = small_artifact()
    how = {"half_size": request.param, "together_short": 1.0}
    normalisation = msgspec.structs.replace(artifact.manifest.normalisation, **how)
    manifest = msgspec.structs.replace(artifact.manifest, normalisation=normalisation)
    row, num_items = artifact.snapshot.item_row, len(artifact.snapshot.item_ids)
    weights = dataclasses.replace(
        artifact.weights,
        together_indptr=(np.arange(num_items + 1) > row["pulp"]).astype(np.int64),
        together_indices=np.array([row["diehard"]], np.int32),
        together_data=np.array([0.5], np.float16),
    )
    return Served.of(dataclasses.replace(artifact, manifest=manifest, weights=weights))


@pytest.fixture(scope="module")
def bob(served: Served) -> Asked:
    return ask(served, served.snapshot.user_row["bob"], 10)


def row(served: Served, item_id: str) -> int:
    return served.snapshot.item_row[item_id]


def reasons(served: Served, asked: Asked, item_id: str) -> tuple[float, list[Shown]]:
    return reasons_of(served, asked, row(served, item_id))


def entity_of(served: Served, reason: Shown) -> str:
    return str(served.snapshot.entity_ids[served.scorer.weights.feature_entities[reason.columns[0]]])


def test_the_reasons_are_the_splits_of_the_score(served: Served, bob: Asked) -> None:
    positive, found = reasons(served, bob, "jackie")
    assert {entity_of(served, one) for one in found} == {"Director:tarantino", "Genre:crime"}
    assert sum(one.value for one in found) == pytest.approx(float(bob.total[row(served, "jackie")]))
    assert positive == pytest.approx(float(bob.total[row(served, "jackie")]))


def test_masking_lowers_the_score_by_the_stated_amount(served: Served, bob: Asked) -> None:
    for item_id in ("jackie", "diehard"):
        for reason in reasons(served, bob, item_id)[1]:
            assert masked_change(served, bob, row(served, item_id), reason) == pytest.approx(reason.value, abs=1e-5)


def test_features_that_are_told_together_are_taken_away_together() -> None:
    """Eve and Armageddon: action and science fiction are one reason where neither weighs enough alone."""
    served = Served.of(small_artifact())
    eve = ask(served, served.snapshot.user_row["eve"], 10)
    popular = dataclasses.replace(eve, taste=np.full_like(eve.taste, 17 - 5.108))
    item_row = row(served, "armageddon")
    together, alone = reasons_of(served, popular, item_row)[1]
    assert [len(one.columns) for one in (together, alone)] == [2, 1]
    assert entity_of(served, together) == "Genre:action"
    assert together.value == pytest.approx(2.687, abs=1e-3)
    assert masked_change(served, eve, item_row, together) == pytest.approx(together.value, abs=1e-5)
    assert Truth(served.snapshot).holds(served, eve.user_row, item_row, together)


@pytest.mark.parametrize("user_id", ["ann", "c1", "eve"])
def test_what_reads_alike_is_one_reason_as_in_lists(user_id: str, tmp_path: Path) -> None:
    served = Served.of(nameless_actors())
    with Log(tmp_path / "log.db") as log:
        explanation = Recommender(World(log, artifact=nameless_actors()), None).explain(user_id, "diehard")
    listed = [(one.share, one.events, one.entities) for one in explanation.reasons if one.code == ENTITY]
    asked = ask(served, served.snapshot.user_row[user_id], 10)
    positive, found = reasons(served, asked, "diehard")
    told = [one for one in found if one.code == ENTITY]
    assert [(len(one.events), len(one.columns)) for one in told] == [one[1:] for one in listed]
    assert [one.value / positive for one in told] == pytest.approx([one[0] for one in listed], abs=1e-5)
    for one in told:
        assert masked_change(served, asked, row(served, "diehard"), one) == pytest.approx(one.value, abs=1e-5)


def test_behind_a_behavioural_reason_are_the_events_and_at_least_five_others(served: Served, bob: Asked) -> None:
    told = next(one for one in reasons(served, bob, "diehard")[1] if one.code == BEHAVIOUR)
    assert told.events == (row(served, "pulp"),)  # six of the crowd took both
    place = bob.rows.tolist().index(row(served, "pulp"))
    trusted, rest = bob.amounts[place], bob.plain[place] - bob.amounts[place]
    assert told.value == pytest.approx(2 * trusted + 0.5 * rest, rel=1e-3)  # R of pulp and diehard is 2, N is ½


def test_without_an_edge_the_items_other_features_of_the_relation_weigh_more(served: Served, bob: Asked) -> None:
    """Armageddon has two genres of √½ each: without science fiction, action weighs 1."""
    item_row = row(served, "armageddon")
    by_name = {entity_of(served, one): one for one in reasons(served, bob, "armageddon")[1]}
    action = by_name["Genre:action"].value
    scifi = next(
        column
        for column in served.features[[item_row]].indices.tolist()
        if entity_of(served, Shown(ENTITY, 0, (column,), ())) == "Genre:scifi"
    )
    changed = scores_without(served, bob, [Edge(item_row, scifi)])
    rise = float(changed[item_row]) - float(bob.total[item_row])
    assert rise == pytest.approx((np.sqrt(2) - 1) * action, rel=1e-4)  # bob has no science fiction to lose


def test_without_an_event_the_score_is_that_of_a_user_who_never_had_it(served: Served, bob: Asked) -> None:
    gone = row(served, "pulp")
    kept = bob.weighted.item_rows != gone
    weighted = type(bob.weighted)(bob.weighted.item_rows[kept], bob.weighted.weights[kept])
    assert scores_without(served, bob, [Edge(-1, gone)]) == pytest.approx(served.scorer.score(weighted).total)


def test_scored_by_the_shown_paths_alone_jackie_is_near_the_top(served: Served, bob: Asked) -> None:
    positive, found = reasons(served, bob, "jackie")
    alone = only(served, bob, shown_of(found, positive))
    assert alone[row(served, "alien")] == 0  # it shares nothing with what is shown
    assert rank_in(alone, bob.allowed, row(served, "jackie")) == 1


def test_equal_scores_take_the_middle_rank() -> None:
    allowed = np.array([True, True, True, False])
    assert rank_in(np.array([1.0, 1.0, 2.0, 9.0]), allowed, 0) == 2.5
    assert rank_in(np.array([1.0, 1.0, 2.0, 9.0]), allowed, 2) == 1


def test_a_path_with_an_edge_that_is_not_in_the_data_is_not_valid(served: Served, bob: Asked) -> None:
    truth = Truth(served.snapshot)
    reason = reasons(served, bob, "jackie")[1][0]
    assert truth.holds(served, bob.user_row, row(served, "jackie"), reason)
    assert not truth.holds(served, bob.user_row, row(served, "alien"), reason)  # alien has no such director
    assert not truth.holds(served, served.snapshot.user_row["fay"], row(served, "jackie"), reason)  # she took nothing
    few = Shown(BEHAVIOUR, 1.0, (), (row(served, "dogs"),))
    assert not truth.holds(served, bob.user_row, row(served, "heat"), few)  # one other person took both


def test_what_a_reason_deletes_are_the_items_edges_or_the_users_events(served: Served) -> None:
    assert edges_of(3, Shown(ENTITY, 1.0, (7, 8), (1, 2))) == [Edge(3, 7), Edge(3, 8)]
    assert edges_of(3, Shown(BEHAVIOUR, 1.0, (), (1, 2))) == [Edge(-1, 1), Edge(-1, 2)]


def test_the_figures_of_the_small_model(served: Served) -> None:
    users = [served.snapshot.user_row[user] for user in ("ann", "bob", "cid", "dee", "eve")]
    told = list(told_of(served, users))
    figures = faithfulness(served, told, seed=0)
    assert figures["users"] == 5
    assert figures["masked_equals_stated"] == 1
    assert figures["path_validity"] == 1
    assert figures["rank_drop_shown_mean"] > figures["rank_drop_random_mean"]


def test_smoothing_and_rank_correlation_by_hand() -> None:
    assert smoothed(np.array([10.0, 20.0, 0.0])).tolist() == pytest.approx([1.0 * 3 / (3 + 5.1), 1.0, 0.0])
    assert smoothed(np.array([4.0, 4.0])).tolist() == [1, 1]
    assert spearman(np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 90.0])) == pytest.approx(1)
    assert np.isnan(spearman(np.array([1.0, 2.0]), np.array([1.0, 2.0])))


def test_two_equal_models_tell_the_same_reasons(served: Served, bob: Asked) -> None:
    told: list[Told] = list(told_of(served, [bob.user_row]))
    assert stability(told, told) == {"stability": 1.0, "list_overlap": 1.0}
