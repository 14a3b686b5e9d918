"""Lists for the hand-written world. The scores are worked out from tests/recommend/small_model.py.

Ann's items weigh: pulp 1, dogs 1, kill 0.3 + 0.8, heat 0.8 + 0.3, thelma 1, alien −0.2 (skipped).
"""

from math import sqrt

import pytest

from domain.dataset_snapshot import snapshot_of
from domain.errors import InvalidRequest, UnknownEntity, UnknownItem, UnknownUser
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.request import Preference, RecommendRequest, SessionEvent
from recommend.world import World
from tests.recommend.small_model import crowded_dataset
from tests.world import world_time

ANN = {
    "jackie": 4 * (1 + 1 + 1.1) + (1 + 1 + 1.1 + 1),  # Tarantino of pulp, dogs, kill; crime of pulp, dogs, heat, thelma
    "kill2": 4 * (1 + 1 + 1.1) + (sqrt(0.5) + 1.1) + 1.1,  # Tarantino; Thurman of pulp and kill; action of kill
    "alien": 4 * 1 + 0.8 + 0.25,  # Scott of thelma; taste of thelma less the skip; bias
    "blade": 4 * (1 - 0.2) - 0.2 + 0.5 + 0.8,  # Scott of thelma and alien; science fiction of alien; behaviour; taste
    "diehard": sqrt(0.5) + 1.1 + 2,  # Willis of pulp; action of kill; behaviour of pulp
}


def test_a_users_list_has_the_scores_worked_out_by_hand(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(user_id="ann"))
    assert [item.item_id for item in answer.items] == ["jackie", "kill2", "alien", "blade", "diehard"]
    assert [item.score for item in answer.items] == pytest.approx(list(ANN.values()), abs=1e-5)
    assert [item.rank for item in answer.items] == [1, 2, 3, 4, 5]
    assert (answer.strategy, answer.fallback, answer.model_version) == ("model", False, "small")


def test_seen_items_are_never_recommended_unless_asked_for(recommender: Recommender) -> None:
    seen = {"pulp", "dogs", "kill", "heat", "thelma"}
    shown = {item.item_id for item in recommender.recommend(RecommendRequest(user_id="ann")).items}
    again = {item.item_id for item in recommender.recommend(RecommendRequest(user_id="ann", exclude_seen=False)).items}
    assert not shown & seen
    assert again == shown | seen


def test_items_without_evidence_are_left_out_of_lists(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(user_id="ann", n=100))
    assert "blank" not in {item.item_id for item in answer.items}


def test_asked_for_items_are_all_ranked_seen_ones_too(recommender: Recommender) -> None:
    asked = ("blank", "pulp", "nothing", "armageddon", "jackie", "pulp")
    answer = recommender.recommend(RecommendRequest(user_id="ann", item_ids=asked))
    assert [item.item_id for item in answer.items] == ["jackie", "pulp", "blank"]
    assert [(one.item_id, one.code) for one in answer.left_out] == [
        ("nothing", "unknown_item"),
        ("armageddon", "unavailable"),
    ]
    assert answer.items[2].score == 0.0
    assert answer.items[2].reasons == ()


def test_n_only_cuts_the_asked_for_items(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(user_id="ann", item_ids=("blank", "jackie"), n=1))
    assert [item.item_id for item in answer.items] == ["jackie"]
    assert recommender.recommend(RecommendRequest(user_id="ann", item_ids=())).items == ()


def test_kind_and_filter_apply_before_the_list_is_cut(recommender: Recommender) -> None:
    old = {"field": "year", "op": "lt", "value": 1990}
    answer = recommender.recommend(RecommendRequest(user_id="ann", n=2, filter=old))
    assert [item.item_id for item in answer.items] == ["alien", "blade"]
    assert recommender.recommend(RecommendRequest(user_id="ann", item_kind="book")).items == ()
    asked = recommender.recommend(RecommendRequest(user_id="ann", item_ids=("alien", "jackie"), filter=old))
    assert [(one.item_id, one.code) for one in asked.left_out] == [("jackie", "filtered")]
    with pytest.raises(InvalidRequest, match="no field 'price'"):
        recommender.recommend(RecommendRequest(user_id="ann", filter={"field": "price", "value": 1}))


def test_a_negative_event_hides_its_item_for_the_time_of_its_kind(world: World) -> None:
    week_after = world_time(7) + 7 * 86_400_000  # ann skipped alien on day 7; a skip hides for 7 days
    request = RecommendRequest(user_id="ann", item_ids=("alien",))
    before = Recommender(world, None, now_ms=lambda: week_after - 1).recommend(request)
    after = Recommender(world, None, now_ms=lambda: week_after).recommend(request)
    assert [(one.item_id, one.code) for one in before.left_out] == [("alien", "hidden")]
    assert [item.item_id for item in after.items] == ["alien"]


def test_equal_scores_are_ordered_by_item_id(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(preferences=(Preference("Genre:action"),)))
    assert [(item.item_id, item.score) for item in answer.items] == [("diehard", 1.0), ("kill", 1.0), ("kill2", 1.0)]


def test_a_session_is_ranked_as_a_user_and_its_paths_begin_at_its_items(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(session=(SessionEvent("thelma"), SessionEvent("nothing"))))
    assert (answer.strategy, answer.user_id) == ("session", None)
    assert [(item.item_id, item.score) for item in answer.items[:2]] == [("blade", 4 + 0.5 + 1), ("alien", 4 + 1.25)]
    assert [(one.item_id, one.code) for one in answer.left_out] == [("nothing", "unknown_item")]
    reason = answer.items[0].reasons[0]
    assert reason.text == "Same director as Thelma & Louise, which you picked: Ridley Scott"
    assert reason.path is not None
    assert [node.id for node in reason.path.nodes] == ["thelma", "Director:scott", "blade"]


def test_a_context_item_weighs_as_one_more_event_and_is_not_shown(recommender: Recommender) -> None:
    plain = RecommendRequest(user_id="eve", item_ids=("jackie",))
    inside = RecommendRequest(user_id="eve", item_ids=("jackie",), context_item_id="dogs")
    before, after = (recommender.recommend(request).items[0].score for request in (plain, inside))
    assert after - before == pytest.approx(4 + 1)  # Tarantino and crime, weight 1
    listed = recommender.recommend(RecommendRequest(user_id="eve", context_item_id="dogs"))
    assert "dogs" not in {item.item_id for item in listed.items}
    with pytest.raises(UnknownItem):
        recommender.recommend(RecommendRequest(user_id="eve", context_item_id="nothing"))


def test_stated_tastes_of_a_request_begin_their_path_at_the_entity(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(preferences=(Preference("Director:scott"),)))
    assert answer.strategy == "preferences"
    assert [item.item_id for item in answer.items] == ["alien", "blade", "thelma"]
    assert [item.score for item in answer.items] == [4 + 1 + 0.25, 4 + 1, 4 + 1]  # as for a film of Scott alone
    reason = answer.items[1].reasons[0]
    assert (reason.code, reason.text) == ("stated_taste", "Directed by Ridley Scott, one of the tastes you stated")
    assert reason.path is not None
    assert [node.id for node in reason.path.nodes] == ["Director:scott", "blade"]
    with pytest.raises(UnknownEntity):
        recommender.recommend(RecommendRequest(preferences=(Preference("Director:nobody"),)))


def test_a_stored_users_tastes_begin_their_path_at_the_user(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(user_id="fay", n=1))
    assert answer.strategy == "preferences"
    path = answer.items[0].reasons[0].path
    assert path is not None
    assert [node.id for node in path.nodes] == ["fay", "Director:tarantino", "pulp"]
    assert [(edge.type, edge.start, edge.end) for edge in path.edges] == [
        ("PREFERS", "fay", "Director:tarantino"),
        ("DIRECTED_BY", "pulp", "Director:tarantino"),
    ]


def test_an_unknown_user_gets_what_is_popular_and_is_told_so(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(user_id="zoe", n=2))
    assert (answer.strategy, answer.fallback) == ("cold_start", True)
    # 10 people took pulp: ann, bob, cid, eve and the crowd; 7 took diehard: eve and the crowd
    assert [item.item_id for item in answer.items] == ["pulp", "diehard"]
    assert answer.items[0].reasons[0].text == "Popular: 10 people took it in the last 30 days of the data"
    with pytest.raises(UnknownUser):
        recommender.recommend(RecommendRequest(user_id="zoe", strict=True))


def test_without_a_model_lists_are_popular_and_fall_back(log: Log) -> None:
    recommender = Recommender(World(log, snapshot=snapshot_of(crowded_dataset())), None)
    answer = recommender.recommend(RecommendRequest(user_id="ann", n=1))
    assert (answer.strategy, answer.fallback, answer.model_version) == ("popular", True, None)
    assert [item.item_id for item in answer.items] == ["diehard"]  # ann has seen pulp


def test_an_empty_world_answers_with_an_empty_list(log: Log) -> None:
    answer = Recommender(World(log), None).recommend(RecommendRequest(user_id="ann"))
    assert (answer.strategy, answer.fallback, answer.items) == ("cold_start", True, ())


def test_reasons_can_be_left_out(recommender: Recommender) -> None:
    answer = recommender.recommend(RecommendRequest(user_id="ann", reasons=False))
    assert [item.reasons for item in answer.items] == [()] * 5


def test_neighbours_of_items_users_and_entities(recommender: Recommender) -> None:
    near_alien = recommender.similar_items("alien", 5)
    assert [(near.id, near.shared) for near in near_alien] == [
        ("blade", ("director: Ridley Scott", "genre: science fiction")),
        ("thelma", ("director: Ridley Scott",)),
        ("pulp", ()),
    ]
    # Features: blade has the same, thelma one of them, 4 of 5. Takers: two took alien, of blade's 3, thelma's 4;
    # one of these took pulp, with 9 others.
    expected = [
        (1 + 2 / sqrt(2 * 3) * 2 / 12) / 2,
        (4 / 5 + 2 / sqrt(2 * 4) * 2 / 12) / 2,
        1 / sqrt(2 * 10) * 1 / 11 / 2,
    ]
    assert [near.similarity for near in near_alien] == pytest.approx(expected)
    # ann's vector: (thelma 1 − alien 0.2, pulp 1 + dogs 1) = (0.8, 2)
    ann = (0.8 / sqrt(4.64), 2 / sqrt(4.64))
    entities = recommender.user_entities("ann", 5)
    assert [near.id for near in entities] == ["Director:tarantino", "Director:scott"]
    # 5 films by Tarantino, 3 by Scott: shrunk by 5 / (5 + 4) and 3 / (3 + 4)
    assert [near.similarity for near in entities] == pytest.approx([ann[1] * 5 / 9, ann[0] * 3 / 7])
    first = recommender.similar_users("c1", 20)
    assert {near.id for near in first if near.similarity == pytest.approx(1)} == {"c2", "c3", "c4", "c5", "c6"}
    assert next(near.common for near in first if near.id == "c2") == 2
    assert [item.item_id for item in recommender.entity_items("Director:scott", 2).items] == ["thelma", "blade"]


def test_a_profile_counts_items_kinds_and_the_last_time(recommender: Recommender) -> None:
    profile = recommender.profile("ann")
    assert (profile.events, profile.items, profile.segment) == (8, 6, "regular")
    assert profile.kinds == {"rate": 4, "view": 2, "skip": 1, "purchase": 1}
    assert profile.last_seen == "2020-01-09T00:00:00.000Z"
    assert profile.static == {"country": "NL", "in_age_band": "20 to 29"}
    assert (profile.recent[0].item_id, profile.recent[0].weight) == ("thelma", 1.0)
    fay = recommender.profile("fay")
    assert [(near.id, near.similarity) for near in fay.preferences] == [
        ("Director:tarantino", 2.0),
        ("Genre:scifi", 1.0),
    ]
    assert (fay.segment, fay.last_seen) == ("new", None)


def test_an_entity_without_a_name_is_told_through_its_items(recommender: Recommender) -> None:
    assert recommender.entity("Actor:x1")["told_as"] == "the actor of Reservoir Dogs and Heat"
    assert recommender.item("pulp")["people"] == 10
    with pytest.raises(UnknownItem):
        recommender.item("nothing")
    with pytest.raises(UnknownEntity):
        recommender.entity("Actor:nobody")
