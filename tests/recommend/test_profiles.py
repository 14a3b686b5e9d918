"""Users within a bound of memory: the same answers from the shelf, merged visitors, impressions, opting out."""

from pathlib import Path

import pytest

from domain.dataset_snapshot import snapshot_of
from domain.errors import UnknownUser
from domain.records import RelationPut, UserMerged, UserPut
from ingest.log import Log
from recommend.changes import UserChanges
from recommend.profiles import Profiles, Room
from recommend.recommender import OPTED_OUT, Recommender
from recommend.request import RecommendRequest, SessionEvent
from recommend.shelf import FileShelf
from recommend.world import World
from tests.recommend.small_model import small_artifact
from tests.recommend.test_recommend_world import append, event, listed
from tests.world import world_dataset, world_time


def filled(memory_bytes: int, users: int = 200) -> Profiles:
    profiles = Profiles(snapshot_of(world_dataset()), Room(memory_bytes))
    for number in range(1, users * 3 + 1):
        profiles.apply(number, event(f"u{number % users}", "alien", number=number))
    return profiles


def test_memory_stays_within_its_bound_and_nothing_is_lost() -> None:
    small, large = filled(20_000), filled(1 << 30)
    assert small.counts.bytes <= 20_000
    assert small.counts.evicted > 0
    assert (large.counts.users, large.counts.evicted) == (200, 0)
    for number in range(200):
        assert small.get(f"u{number}") == large.get(f"u{number}")
    assert small.counts.bytes <= 20_000


def test_those_who_were_asked_for_last_stay_in_memory() -> None:
    profiles = filled(20_000)
    profiles.get("u7")
    for number in range(601, 605):
        profiles.apply(number, event(f"u{number}", "alien", number=number))
    before = profiles.counts.reloaded
    profiles.get("u7")
    assert profiles.counts.reloaded == before
    profiles.get("u20")
    assert profiles.counts.reloaded == before + 1


def test_a_shelf_gives_back_exactly_what_was_put_once() -> None:
    shelf, changes = FileShelf(), UserChanges(offset=3, gone=2)
    assert shelf.take("ann") is None
    shelf.put("ann", changes)
    assert shelf.take("ann") == changes
    assert shelf.take("ann") is None


def test_a_visitor_of_the_log_is_joined_to_a_user(log: Log, recommender: Recommender) -> None:
    append(log, event("v", "thelma"), RelationPut(type="PREFERS", head_id="v", tail_id="Genre:crime", weight=1.0))
    append(log, UserMerged(user_id="zoe", from_id="v"))
    zoe = recommender.profile("zoe")
    assert [one.item_id for one in zoe.recent] == ["thelma"]
    assert [one.id for one in zoe.preferences] == ["Genre:crime"]
    with pytest.raises(UnknownUser):
        recommender.profile("v")
    append(log, event("v", "alien", number=2))
    assert [one.item_id for one in recommender.profile("v").recent] == ["alien"]
    assert recommender.profile("zoe").events == 1


def test_a_visitor_of_the_snapshot_is_joined_to_a_user(log: Log, recommender: Recommender) -> None:
    before = recommender.profile("ann").events + recommender.profile("eve").events
    append(log, UserMerged(user_id="ann", from_id="eve"))
    ann = recommender.profile("ann")
    assert ann.events == before
    assert "diehard" not in listed(recommender, "ann")  # eve rated it
    assert "eve" not in {near.id for near in recommender.similar_users("bob", 100)}


def test_one_person_is_counted_once_after_a_merge(log: Log, world: World) -> None:
    append(log, event("v", "blank"), event("zoe", "blank"), event("v", "heat", number=2))
    world.catch_up()
    row = world.view().catalogue.item_rows["blank"]
    assert world.view().popular_counts[0][row] == 2
    append(log, UserMerged(user_id="zoe", from_id="v"))
    world.catch_up()
    assert world.view().popular_counts[0][row] == 1
    log.erase_user("zoe")
    world.catch_up()
    assert world.view().popular_counts[0][row] == 0


def test_what_was_shown_and_ignored_fades_and_a_click_ends_that(log: Log, recommender: Recommender) -> None:
    before = listed(recommender, "ann")
    append(log, *(event("ann", "jackie", "impression", number=number) for number in (1, 2)))
    faded = listed(recommender, "ann")
    assert faded["jackie"] == pytest.approx(before["jackie"] * 0.9**2)
    assert faded["kill2"] == before["kill2"]
    parts = {part.name: part.value for part in recommender.explain("ann", "jackie").parts}
    assert sum(parts.values()) == pytest.approx(faded["jackie"])
    assert parts["impressions"] == pytest.approx(before["jackie"] * (0.9**2 - 1))
    profile = recommender.profile("ann")
    assert (profile.impressions, profile.events) == (1, 8)
    append(log, event("ann", "jackie", "view", number=3))
    assert recommender.profile("ann").impressions == 0


def test_what_was_shown_long_ago_is_forgotten(log: Log, recommender: Recommender) -> None:
    before = listed(recommender, "ann")
    append(log, event("ann", "jackie", "impression", number=1), event("ann", "blank", "impression", number=9))
    assert listed(recommender, "ann")["jackie"] == before["jackie"]


def test_an_item_that_a_visitor_was_shown_is_not_one_they_took(recommender: Recommender) -> None:
    session = (SessionEvent("pulp"), SessionEvent("dogs", kind="impression"))
    answer = recommender.recommend(RecommendRequest(session=session, n=20))
    scores = {one.item_id: one.score for one in answer.items}
    alone = recommender.recommend(RecommendRequest(session=session[:1], n=20))
    plain = {one.item_id: one.score for one in alone.items}
    assert scores["dogs"] == pytest.approx(0.9 * plain["dogs"])


def test_who_opts_out_gets_popular_lists_and_has_no_profile(log: Log, recommender: Recommender) -> None:
    append(log, UserPut(user_id="ann", properties={"country": "NL", "opt_out": True}), event("ann", "heat", number=9))
    answer = recommender.recommend(RecommendRequest(user_id="ann"))
    assert (answer.strategy, answer.fallback, answer.notes) == ("popular", True, (OPTED_OUT,))
    popular = recommender.recommend(RecommendRequest(user_id="nobody"))
    assert [one.item_id for one in answer.items] == [one.item_id for one in popular.items]
    profile = recommender.profile("ann")
    assert (profile.opt_out, profile.events, profile.recent, profile.entities) == (True, 0, (), ())
    assert profile.static == {"country": "NL"}
    assert "ann" not in {near.id for near in recommender.similar_users("bob", 100)}
    append(log, UserPut(user_id="ann", properties={}))
    assert recommender.recommend(RecommendRequest(user_id="ann")).strategy == "model"


def test_a_dislike_hides_for_the_time_of_its_kind_only(log: Log, world: World) -> None:
    append(log, event("ann", "jackie", "skip", number=1))  # hides for 7 days, from day 101
    hidden, back = (Recommender(world, None, now_ms=lambda day=day: world_time(day)) for day in (107, 109))
    assert "jackie" not in listed(hidden, "ann")
    assert "jackie" in listed(back, "ann")


def test_the_visit_that_goes_on_is_told_apart(log: Log, recommender: Recommender) -> None:
    append(log, event("ann", "blade", "view", number=50), event("ann", "alien", "view", number=50))
    assert recommender.profile("ann").session == ("alien", "blade")


def test_a_process_that_starts_anew_knows_the_same(log: Log, recommender: Recommender, tmp_path: Path) -> None:
    append(log, event("v", "thelma"), UserMerged(user_id="ann", from_id="v"), event("ann", "jackie", "impression"))
    fresh = Recommender(World(log, artifact=small_artifact()), None)
    assert fresh.profile("ann") == recommender.profile("ann")
    assert listed(fresh, "ann") == listed(recommender, "ann")
