"""Lists and scores as if an edge were not there, and what would have to go for an item to leave the list."""

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from domain.records import Event
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.request import ExplainRequest, Preference, RecommendRequest
from recommend.strategies import strategy_for
from recommend.subject import known_subject
from recommend.without import without_items
from recommend.world import World
from tests.world import ENTITIES, ITEMS, USERS, world_time

SCORED = ("ann", "bob", "cid", "dee", "eve")
KEPT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_every_score_of_every_list_is_the_sum_of_its_parts_and_terms(recommender: Recommender) -> None:
    for user_id in USERS:
        for item in recommender.recommend(RecommendRequest(user_id=user_id, n=12)).items:
            explained = recommender.explain(user_id, item.item_id)
            parts = {part.name: part.value for part in explained.parts}
            assert sum(parts.values()) == pytest.approx(item.score, abs=1e-4)
            terms = sum(one.value for one in explained.contributions) + explained.unlisted
            assert terms == pytest.approx(parts.get("entity", 0) + parts.get("behaviour", 0) if terms else 0, abs=1e-4)


@KEPT
@given(user_id=st.sampled_from(SCORED), item_id=st.sampled_from(list(ITEMS)), entity_id=st.sampled_from(list(ENTITIES)))
def test_without_an_entity_the_score_changes_by_the_stated_amount(
    recommender: Recommender, user_id: str, item_id: str, entity_id: str
) -> None:
    before = recommender.explain(user_id, item_id)
    changed = recommender.explain_fully(ExplainRequest(user_id=user_id, item_id=item_id, without=(entity_id,)))
    stated = sum(one.value for one in before.contributions if one.entity_id == entity_id)
    assert changed.change is not None
    assert changed.change.score == pytest.approx(before.score)
    assert changed.score - before.score == pytest.approx(-stated, abs=1e-4)
    assert changed.change.score_change == pytest.approx(changed.change.stated_change, abs=1e-4)


def test_a_reason_through_an_entity_is_gone_without_it(recommender: Recommender) -> None:
    request = RecommendRequest(user_id="ann", item_ids=("jackie",), without=("Director:tarantino",))
    item = recommender.recommend(request).items[0]
    assert item.score == pytest.approx(recommender.explain("ann", "jackie").score - 4 * 3.1 * 1.0, abs=1e-4)
    assert not any("Tarantino" in reason.text for reason in item.reasons)


def test_without_an_event_the_list_is_that_of_a_user_who_never_had_it(log: Log, world: World) -> None:
    recommender = Recommender(world, None)
    before = recommender.recommend(RecommendRequest(user_id="ann"))
    log.append(
        [
            Event(
                event_id="new",
                user_id="ann",
                item_id="blade",
                kind="rate",
                value=5.0,
                at=world_time(40),
                session_id=None,
            )
        ]
    )
    with_event = recommender.recommend(RecommendRequest(user_id="ann"))
    without = recommender.recommend(RecommendRequest(user_id="ann", without=("new",)))
    assert [item.item_id for item in with_event.items] != [item.item_id for item in before.items]
    assert [(item.item_id, item.score) for item in without.items] == [(i.item_id, i.score) for i in before.items]


def test_a_stated_taste_can_be_left_out(recommender: Recommender) -> None:
    both = (Preference("Genre:crime"), Preference("Genre:scifi"))
    one = recommender.recommend(RecommendRequest(preferences=both[:1]))
    left = recommender.recommend(RecommendRequest(preferences=both, without=("Genre:scifi",)))
    assert [item.item_id for item in left.items] == [item.item_id for item in one.items]


def test_what_is_neither_entity_nor_event_is_named(recommender: Recommender) -> None:
    with pytest.raises(InvalidRequest, match="no entity 'nothing'") as refused:
        recommender.recommend(RecommendRequest(user_id="ann", without=("nothing",)))
    assert refused.value.field == "without"


@pytest.mark.parametrize("user_id", ["ann", "bob", "eve"])
@pytest.mark.parametrize("n", [1, 2])
def test_the_counterfactual_is_the_smallest_set_there_is(recommender: Recommender, user_id: str, n: int) -> None:
    """Compared with every set of the user's items, tried one by one."""
    for item in recommender.recommend(RecommendRequest(user_id=user_id, n=n)).items:
        request = ExplainRequest(user_id=user_id, item_id=item.item_id, n=n, has_counterfactual=True)
        found = recommender.explain_fully(request).counterfactual
        smallest = _smallest(recommender, user_id, item.item_id, n)
        assert found is not None
        assert found.found == (smallest is not None)
        if found.found:
            assert len(found.removed) == smallest
            assert _is_out(recommender, user_id, item.item_id, n, {one.item_id for one in found.removed})


def test_an_item_outside_the_list_has_nothing_to_remove(recommender: Recommender) -> None:
    request = ExplainRequest(user_id="ann", item_id="blade", n=1, has_counterfactual=True)
    found = recommender.explain_fully(request).counterfactual
    assert found is not None
    assert (found.found, found.why) == (False, "not_in_list")


def _smallest(recommender: Recommender, user_id: str, item_id: str, n: int) -> int | None:
    items = sorted({item for item in ITEMS if _has(recommender, user_id, item)})
    for size in range(1, len(items) + 1):
        for chosen in combinations(items, size):
            if _is_out(recommender, user_id, item_id, n, set(chosen)):
                return size
    return None


def _has(recommender: Recommender, user_id: str, item_id: str) -> bool:
    view = recommender.world.view()
    record = view.user(user_id)
    assert record is not None
    return view.catalogue.item_rows[item_id] in known_subject(view, record).witnesses


def _is_out(recommender: Recommender, user_id: str, item_id: str, n: int, gone: set[str]) -> bool:
    """Whether n available items that the user has not had are scored higher once these are gone, by a plain sort."""
    view = recommender.world.view()
    record = view.user(user_id)
    assert record is not None
    subject = known_subject(view, record)
    rows = frozenset(view.catalogue.item_rows[one] for one in gone)
    ranking, _ = strategy_for(view, replace(without_items(subject, rows)), None)
    barred = subject.seen | subject.hidden(10**15)
    allowed = [r for r in range(len(view.catalogue)) if view.catalogue.available[r] and ranking.evidence[r] > 0]
    shown = sorted(
        (row for row in allowed if row not in barred),
        key=lambda row: (-ranking.total[row], view.catalogue.item_ids[row]),
    )
    return view.catalogue.item_rows[item_id] not in shown[:n]
