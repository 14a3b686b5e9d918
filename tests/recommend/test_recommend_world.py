"""What the log brings is known to the next request: events, items, entities, users, erasure; and a new model."""

import threading

import pytest

from domain.dataset_snapshot import snapshot_of
from domain.errors import UnknownEntity, UnknownUser
from domain.records import (
    EntityDeleted,
    EntityPut,
    Event,
    ItemPut,
    ItemRetired,
    Properties,
    Record,
    RelationDeleted,
    RelationEnd,
    RelationPut,
    UserErased,
    UserPut,
)
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.request import RecommendRequest
from recommend.world import World
from tests.recommend.small_model import small_artifact
from tests.world import world_dataset, world_time


def event(user_id: str, item_id: str, kind: str = "purchase", *, value: float | None = None, number: int = 1) -> Event:
    at = world_time(100 + number)
    return Event(
        event_id=f"{user_id}-{item_id}-{kind}-{number}", user_id=user_id, item_id=item_id, kind=kind, at=at, value=value
    )


def item(item_id: str, *entity_ids: str, name: str = "New", **properties: str | int) -> ItemPut:
    types = {"Director": "DIRECTED_BY", "Actor": "ACTED_BY", "Genre": "HAS_GENRE"}
    known: Properties = dict(properties)
    return ItemPut(
        item_id=item_id,
        name=name,
        item_kind="film",
        available=True,
        created_at=None,
        properties=known,
        relations=tuple(RelationEnd(type=types[one.split(":")[0]], entity_id=one) for one in entity_ids),
    )


def listed(recommender: Recommender, user_id: str) -> dict[str, float]:
    return {one.item_id: one.score for one in recommender.recommend(RecommendRequest(user_id=user_id, n=100)).items}


def append(log: Log, *records: Record) -> None:
    assert {verdict.code for verdict in log.append(records)} <= {"accepted", "duplicated"}


def test_an_event_changes_the_next_list(log: Log, recommender: Recommender) -> None:
    before = listed(recommender, "eve")
    append(log, event("eve", "dogs"))
    after = listed(recommender, "eve")
    assert "dogs" in before
    assert "dogs" not in after
    assert after["jackie"] - before["jackie"] == pytest.approx(4 + 1)  # Tarantino and crime


def test_the_first_event_of_a_stranger_makes_them_a_user(log: Log, recommender: Recommender) -> None:
    append(log, event("zoe", "thelma"))
    answer = recommender.recommend(RecommendRequest(user_id="zoe", strict=True))
    assert (answer.strategy, answer.fallback) == ("model", False)
    assert [one.item_id for one in answer.items[:2]] == ["blade", "alien"]
    assert recommender.profile("zoe").events == 1


def test_the_same_event_twice_counts_once(log: Log, recommender: Recommender) -> None:
    append(log, event("zoe", "thelma"), event("zoe", "thelma"))
    assert recommender.profile("zoe").events == 1


def test_of_several_ratings_the_newest_counts(log: Log, recommender: Recommender) -> None:
    append(log, event("zoe", "thelma", "rate", value=5, number=1))
    assert "alien" in listed(recommender, "zoe")
    append(log, event("zoe", "thelma", "rate", value=2, number=2))
    assert recommender.recommend(RecommendRequest(user_id="zoe")).strategy == "cold_start"


def test_a_new_item_with_attributes_can_be_recommended(log: Log, recommender: Recommender) -> None:
    append(log, item("hateful", "Director:tarantino", "Genre:crime", name="The Hateful Eight", year=2015))
    answer = recommender.recommend(RecommendRequest(user_id="ann", n=2))
    assert [(one.item_id, one.name) for one in answer.items] == [
        ("hateful", "The Hateful Eight"),
        ("jackie", "Jackie Brown"),
    ]
    assert answer.items[0].score == pytest.approx(16.5)  # as Jackie Brown's: same director, same genre
    assert answer.items[0].reasons[0].code == "same_entity"
    newer = {"field": "year", "op": "ge", "value": 2010}
    only = recommender.recommend(RecommendRequest(user_id="ann", filter=newer))
    assert [one.item_id for one in only.items] == ["hateful"]


def test_a_put_replaces_the_whole_item(log: Log, recommender: Recommender) -> None:
    append(log, item("new", "Director:tarantino", year=2015), item("new", "Director:scott", name="Renamed"))
    found = recommender.item("new")
    assert found["name"] == "Renamed"
    assert found["properties"] == {}
    assert found["relations"] == [{"type": "DIRECTED_BY", "entity_id": "Director:scott", "name": "Ridley Scott"}]
    scott = [one.item_id for one in recommender.recommend(RecommendRequest(user_id="zoe", item_ids=("new",))).items]
    assert scott == ["new"]
    assert recommender.entity("Director:tarantino")["items"] == 5
    assert recommender.entity("Director:scott")["items"] == 4


def test_a_reason_is_not_told_of_a_relation_that_was_taken_away(log: Log, recommender: Recommender) -> None:
    append(log, RelationDeleted(type="DIRECTED_BY", head_id="jackie", tail_id="Director:tarantino"))
    answer = recommender.recommend(RecommendRequest(user_id="ann", item_ids=("jackie",)))
    texts = [reason.text for reason in answer.items[0].reasons]
    assert texts == ["Same genre as 4 of yours, such as Heat, which you rated 4: crime"]


def test_retired_items_are_not_shown(log: Log, recommender: Recommender) -> None:
    append(log, ItemRetired(item_id="jackie"))
    assert "jackie" not in listed(recommender, "ann")
    asked = recommender.recommend(RecommendRequest(user_id="ann", item_ids=("jackie",)))
    assert [(one.item_id, one.code) for one in asked.left_out] == [("jackie", "unavailable")]


def test_a_dislike_hides_the_item(log: Log, world: World) -> None:
    recommender = Recommender(world, None, now_ms=lambda: world_time(110))
    assert "jackie" in listed(recommender, "ann")
    append(log, event("ann", "jackie", "dislike"))
    assert "jackie" not in listed(recommender, "ann")


def test_entities_and_relations_come_and_go(log: Log, recommender: Recommender) -> None:
    append(
        log,
        EntityPut(entity_id="Director:new", name="Somebody New"),
        RelationPut(type="DIRECTED_BY", head_id="blank", tail_id="Director:new"),
    )
    assert [one.item_id for one in recommender.entity_items("Director:new").items] == ["blank"]
    append(log, EntityDeleted(entity_id="Director:tarantino"))
    assert recommender.item("kill2")["relations"] == [
        {"type": "ACTED_BY", "entity_id": "Actor:thurman", "name": "Uma Thurman"},
        {"type": "HAS_GENRE", "entity_id": "Genre:action", "name": "action"},
        {"type": "SEQUEL_OF", "entity_id": "kill", "name": "Kill Bill"},
    ]
    assert "Director:tarantino" not in [near.id for near in recommender.user_entities("ann")]


def test_ends_that_nobody_made_are_made_bare(log: Log, recommender: Recommender) -> None:
    append(
        log,
        event("ann", "unheard"),
        item("new", "Genre:unheard"),
        RelationPut(type="PREFERS", head_id="hal", tail_id="Genre:unsaid", weight=1.0),
    )
    assert recommender.item("unheard")["name"] == "unheard"
    assert recommender.entity("Genre:unheard")["items"] == 1
    assert [near.id for near in recommender.profile("hal").preferences] == ["Genre:unsaid"]


def test_relations_of_types_that_nobody_declared_change_nothing(log: Log, recommender: Recommender) -> None:
    append(log, RelationPut(type="LIKES_TO_EAT", head_id="pulp", tail_id="Food:burger"))
    with pytest.raises(UnknownUser):
        recommender.profile("pulp")
    with pytest.raises(UnknownEntity):
        recommender.entity("Food:burger")


def test_a_follow_is_kept_and_taken_back(log: Log, recommender: Recommender) -> None:
    append(log, RelationPut(type="FOLLOWS", head_id="cid", tail_id="dee"))
    assert recommender.profile("cid").static["follows"] == ["dee"]
    append(log, RelationDeleted(type="FOLLOWS", head_id="cid", tail_id="dee"))
    assert "follows" not in recommender.profile("cid").static


def test_a_user_put_replaces_profile_tastes_and_follows(log: Log, recommender: Recommender) -> None:
    taste = RelationEnd(type="PREFERS", entity_id="Director:scott", weight=1.0)
    append(log, UserPut(user_id="fay", properties={"country": "IT"}, preferences=(taste,), follows=("ann", "nobody")))
    profile = recommender.profile("fay")
    assert profile.static == {"country": "IT", "follows": ["ann"]}
    assert [near.id for near in profile.preferences] == ["Director:scott"]
    assert [one.item_id for one in recommender.recommend(RecommendRequest(user_id="fay", n=1)).items] == ["alien"]


def test_an_erased_user_is_gone_and_not_counted(log: Log, recommender: Recommender) -> None:
    log.erase_user("c1")
    with pytest.raises(UnknownUser):
        recommender.profile("c1")
    assert recommender.recommend(RecommendRequest(user_id="c1")).strategy == "cold_start"
    assert "c1" not in {near.id for near in recommender.similar_users("c2", 100)}
    diehard = recommender.recommend(RecommendRequest(user_id="ann", item_ids=("diehard",))).items[0]
    assert diehard.reasons[0].text == "6 people who took Pulp Fiction also took this"  # eve and c2 to c6


def test_fewer_than_five_others_are_not_told(log: Log, recommender: Recommender) -> None:
    for user_id in ("c1", "c2", "c3"):
        log.erase_user(user_id)
    diehard = recommender.recommend(RecommendRequest(user_id="ann", item_ids=("diehard",))).items[0]
    assert {reason.code for reason in diehard.reasons} == {"same_entity"}  # eve and c4 to c6 are four


def test_an_erasure_that_the_log_still_tells_is_applied_at_the_start(log: Log) -> None:
    log.append([UserErased(user_id="ann")])
    world = World(log, artifact=small_artifact())
    assert world.view().user("ann") is None


def test_a_swap_replays_the_log_and_leaves_requests_in_flight_alone(log: Log) -> None:
    world = World(log, snapshot=snapshot_of(world_dataset()))
    append(log, event("zoe", "thelma"))
    world.catch_up()
    held = world.view()
    world.adopt(world.beside(artifact=small_artifact()))
    assert (held.model_version, world.view().model_version) == (None, "small")
    assert held.scorer is None
    zoe = world.view().user("zoe")
    assert zoe is not None
    assert [one.item_id for one in zoe.events] == ["thelma"]
    assert world.catch_up() == 0


def test_catching_up_counts_records_and_is_exact_over_many_batches(log: Log, world: World) -> None:
    many = [event("zoe", "thelma", "view", number=number) for number in range(1, 25_001)]
    for start in range(0, len(many), 5_000):
        log.append(many[start : start + 5_000])
    assert world.catch_up() == 25_000
    assert world.catch_up() == 0
    assert world.offset == log.last_offset()


def test_many_readers_see_whole_states_while_records_arrive(log: Log, recommender: Recommender) -> None:
    errors: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(30):
                answer = recommender.recommend(RecommendRequest(user_id="ann", n=100))
                assert all(one.score > 0 for one in answer.items)
        except BaseException as error:  # noqa: BLE001 - a thread must not swallow it
            errors.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        append(log, item(f"new{number}", "Director:tarantino"), event("ann", f"new{number}", number=number))
    for thread in threads:
        thread.join()
    assert errors == []
    assert recommender.profile("ann").events == 8 + 40
