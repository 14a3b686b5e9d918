"""Shares, parts, texts and statements of explanations, by hand."""

import dataclasses
from math import sqrt

import pytest
from msgspec.structs import replace

from domain.errors import UnknownItem, UnknownUser
from ingest.log import Log
from recommend.browser import literal
from recommend.recommender import Recommender
from recommend.request import RecommendRequest
from recommend.world import World
from tests.recommend.small_model import nameless_actors, small_artifact

POSITIVE = sqrt(0.5) + 1.1 + 2  # ann and diehard: Willis of pulp, action of kill, and those who took pulp and diehard


def test_parts_and_contributions_sum_to_the_score(recommender: Recommender) -> None:
    for item_id in ("jackie", "kill2", "alien", "blade", "diehard", "blank", "pulp"):
        explanation = recommender.explain("ann", item_id)
        parts = {part.name: part.value for part in explanation.parts}
        assert sum(parts.values()) == pytest.approx(explanation.score, abs=1e-4)
        terms = sum(one.value for one in explanation.contributions)
        assert terms == pytest.approx(parts["entity"] + parts["behaviour"], abs=1e-4)


def test_the_parts_of_one_score_by_hand(recommender: Recommender) -> None:
    blade = recommender.explain("ann", "blade")
    assert {part.name: part.value for part in blade.parts} == pytest.approx(
        {"entity": 4 * (1 - 0.2) - 0.2, "behaviour": 0.5, "taste": 0.8, "popularity": 0.0}, abs=1e-5
    )
    assert (blade.rank, blade.strategy) == (4, "model")
    negative = [(one.item_id, one.relation) for one in blade.contributions if one.value < 0]
    assert sorted(negative) == [("alien", "DIRECTED_BY"), ("alien", "HAS_GENRE")]


def test_shares_are_of_the_positive_terms(recommender: Recommender) -> None:
    reasons = recommender.explain("ann", "diehard").reasons
    assert [(reason.code, reason.events, reason.more_paths) for reason in reasons] == [
        ("taken_together", 1, 0),
        ("same_entity", 1, 0),
        ("same_entity", 1, 0),
    ]
    assert [reason.share for reason in reasons] == pytest.approx([2 / POSITIVE, 1.1 / POSITIVE, sqrt(0.5) / POSITIVE])
    assert not any(reason.weak for reason in reasons)
    blade = recommender.explain("ann", "blade").reasons
    assert blade[0].share == pytest.approx(4 / (4 + 0.5 + 0.8))  # the negative terms are not in the sum


def test_a_behavioural_path_names_nobody(recommender: Recommender) -> None:
    reason = recommender.explain("ann", "diehard").reasons[0]
    assert reason.text == "7 people who took Pulp Fiction also took this"
    assert reason.path is not None
    assert [(node.label, node.id, node.count) for node in reason.path.nodes] == [
        ("User", "ann", None),
        ("Item", "pulp", None),
        ("User", None, 7),
        ("Item", "diehard", None),
    ]
    assert [(edge.start, edge.end) for edge in reason.path.edges] == [
        ("ann", "pulp"),
        (None, "pulp"),
        (None, "diehard"),
    ]


def test_one_reason_covers_all_events_that_share_an_entity(recommender: Recommender) -> None:
    reason = recommender.explain("ann", "jackie").reasons[0]
    assert (reason.events, reason.more_paths) == (3, 2)
    assert reason.share == pytest.approx(4 * 3.1 / 16.5)
    assert reason.text == "Same director as 3 of yours, such as Kill Bill, which you rated 4: Quentin Tarantino"


def test_an_unnamed_entity_is_told_through_the_item_alone(recommender: Recommender) -> None:
    reasons = recommender.recommend(RecommendRequest(user_id="bob", item_ids=("heat",))).items[0].reasons
    assert "Same actor as Reservoir Dogs, which you rated 4" in [reason.text for reason in reasons]


def test_weak_reasons_say_so(recommender: Recommender) -> None:
    reasons = recommender.explain("ann", "kill2").reasons
    assert [reason.weak for reason in reasons] == [False, True, True]  # 81 %, 12 % and 7 %


def test_where_no_attribute_explains_15_percent_those_of_one_relation_are_told_together(log: Log) -> None:
    """Eve and Armageddon: action 2.475, science fiction 0.212, Willis 2.421; so popular that each is below 15 %."""
    artifact = small_artifact()
    bias = artifact.weights.bias.copy()
    bias[artifact.snapshot.item_row["armageddon"]] = 17 - 5.108
    popular = dataclasses.replace(artifact, weights=dataclasses.replace(artifact.weights, bias=bias))
    both, willis = Recommender(World(log, artifact=popular), None).explain("eve", "armageddon").reasons[:2]
    assert both.text == "Same genre as 4 of yours, such as Kill Bill 2, which you rated 4: action, science fiction"
    assert (both.events, both.entities, both.more_paths, both.weak) == (4, 2, 3, False)
    assert [reason.share for reason in (both, willis)] == pytest.approx([2.687 / 17, 2.421 / 17], abs=1e-4)
    assert both.path is not None
    assert [node.id for node in both.path.nodes] == ["eve", "kill2", "Genre:action", "armageddon"]
    assert (willis.entities, willis.weak) == (1, True)


def test_entities_without_a_name_that_read_alike_are_one_reason_and_their_shares_sum(log: Log) -> None:
    recommender = Recommender(World(log, artifact=nameless_actors()), None)
    actors = recommender.explain("c1", "diehard").reasons[1]  # of Pulp Fiction, which weighs 1: twice √½ · √½
    assert actors.text == "Same actor as Pulp Fiction, which you bought"
    assert (actors.events, actors.entities, actors.more_paths) == (1, 2, 1)
    assert actors.share == pytest.approx(1 / (1 + 2))  # 2: others who took both
    explanation = recommender.explain("eve", "diehard")
    actors = explanation.reasons[0]
    assert actors.text == "Same actor as 4 of yours, such as Kill Bill 2, which you rated 4"
    assert (actors.events, actors.entities) == (4, 2)
    terms = [one.share for one in explanation.contributions if one.relation == "ACTED_BY"]
    assert actors.share == pytest.approx(sum(terms))
    assert sum(reason.share for reason in explanation.reasons) == pytest.approx(1)


def test_entities_without_a_name_that_are_known_by_other_items_are_told_apart(log: Log) -> None:
    """Ann and Die Hard: Thurman is in two of hers, Willis in one."""
    reasons = Recommender(World(log, artifact=nameless_actors()), None).explain("ann", "diehard").reasons
    assert [reason.text for reason in reasons if "actor" in reason.text] == [
        "Same actor as 2 of yours, such as Kill Bill, which you rated 4",
        "Same actor as Pulp Fiction, which you rated 5",
    ]


def test_an_edge_of_a_path_has_its_own_direction_kind_and_time(recommender: Recommender) -> None:
    path = recommender.explain("ann", "jackie").reasons[0].path
    assert path is not None
    assert [(e.type, e.start, e.end, e.kind, e.at, e.state) for e in path.edges] == [
        ("INTERACTED", "ann", "kill", "rate", "2020-01-05T00:00:00.000Z", "unchecked"),
        ("DIRECTED_BY", "kill", "Director:tarantino", None, None, "unchecked"),
        ("DIRECTED_BY", "jackie", "Director:tarantino", None, None, "unchecked"),
    ]
    assert not path.verified


def test_ranks_are_those_of_the_list(recommender: Recommender) -> None:
    ranks = {item.item_id: item.rank for item in recommender.recommend(RecommendRequest(user_id="ann")).items}
    for item_id, rank in ranks.items():
        assert recommender.explain("ann", item_id).rank == rank
    for item_id in ("pulp", "armageddon", "blank"):  # seen, not available, without evidence
        assert recommender.explain("ann", item_id).rank is None


def test_unknown_ends_have_no_explanation(recommender: Recommender) -> None:
    with pytest.raises(UnknownUser):
        recommender.explain("zoe", "pulp")
    with pytest.raises(UnknownItem):
        recommender.explain("ann", "nothing")


def test_what_is_sensitive_is_never_a_reason(log: Log) -> None:
    """The weights below score genres and directors, as a model from before the declaration was changed would."""
    artifact = small_artifact()
    declaration = artifact.snapshot.declaration
    types = tuple(replace(kind, sensitive=kind.label == "Genre") for kind in declaration.entity_types)
    relations = tuple(replace(kind, sensitive=kind.type == "DIRECTED_BY") for kind in declaration.relation_types)
    hidden = replace(declaration, entity_types=types, relation_types=relations)
    snapshot = dataclasses.replace(artifact.snapshot, declaration=hidden)
    recommender = Recommender(World(log, artifact=dataclasses.replace(artifact, snapshot=snapshot)), None)
    for item in recommender.recommend(RecommendRequest(user_id="ann")).items:
        explanation = recommender.explain("ann", item.item_id)
        for reason in (*item.reasons, *explanation.reasons):
            told = reason.path.edges if reason.path else ()
            assert {edge.type for edge in told} <= {"INTERACTED", "ACTED_BY"}
        assert {one.relation for one in explanation.contributions} <= {None, "ACTED_BY"}
    assert [near.shared for near in recommender.similar_items("alien", 1)] == [()]
    assert recommender.entity_items("Genre:crime").items == ()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("pulp", '"pulp"'),
        ('a"b', '"a\\"b"'),
        ("a\\b'$user_id", '"a\\\\b\'$user_id"'),
        ("café", '"caf\\u00e9"'),
    ],
)
def test_ids_are_written_as_escaped_literals(text: str, written: str) -> None:
    assert literal(text) == written


def test_what_a_search_adds_is_a_reason_and_a_part_like_any_other(recommender: Recommender) -> None:
    request = RecommendRequest(user_id="ann", query="jackie")
    explained = recommender.explain_in(request, "jackie")
    (part,) = [part for part in explained.parts if part.name == "query"]
    (reason,) = [reason for reason in explained.reasons if reason.code == "query"]
    assert part.value > 0
    assert reason.share == pytest.approx(part.share)
    assert sum(one.share for one in explained.parts if one.value > 0) == pytest.approx(1)
    assert explained.score - recommender.explain("ann", "jackie").score == pytest.approx(part.value, abs=1e-4)
    assert recommender.recommend(request).items[0].score == pytest.approx(explained.score)


def test_a_search_does_not_rank_what_it_does_not_find(recommender: Recommender) -> None:
    assert recommender.explain_in(RecommendRequest(user_id="ann", query="jackie"), "kill2").rank is None
