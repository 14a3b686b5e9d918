"""What POST /v1/events takes, in every form it may come in, and what becomes of what it does not take at once."""

import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.bursts import Bursts
from api.posted import unzipped
from api.services import EventLimits, Services
from domain.errors import InvalidRequest
from domain.records import Event, ItemPut
from ingest.log import Log
from recommend.recommender import Recommender
from recommend.world import World
from tests.api.conftest import Live
from tests.recommend.small_model import small_artifact

EVENT = {"event_id": "one", "user_id": "hal", "item_id": "alien", "kind": "rate", "value": 5}
OTHER = {"event_id": "two", "user_id": "hal", "item_id": "blade", "kind": "view"}
NEW_ITEM = ItemPut(
    item_id="new", name="New", item_kind="film", available=True, created_at=None, properties={}, relations=()
)
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
Start = Callable[..., Live]


def lines(*events: Any) -> bytes:
    return b"\n".join(json.dumps(event).encode() for event in events)


def stored(live: Live) -> list[Event]:
    return [record for _, record in live.services.log.read(0) if isinstance(record, Event)]


def test_ndjson_is_one_event_a_line_and_a_bad_line_is_rejected_by_itself(offline: Live) -> None:
    answer = offline.client.post("/v1/events", content=lines(EVENT, OTHER) + b"\n", headers=NDJSON)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "duplicated": 0, "rejected": []})
    answer = offline.client.post("/v1/events", content=lines(EVENT) + b"\n\n{half a line\n", headers=NDJSON)
    receipt = answer.json()
    assert (receipt["duplicated"], receipt["rejected"][0]["index"], receipt["rejected"][0]["code"]) == (
        1,
        1,
        "invalid_json",
    )
    assert offline.services.log.dead()[0].payload == "{half a line"


@pytest.mark.parametrize(
    ("content", "kind"),
    [(json.dumps([EVENT, OTHER]).encode(), JSON), (lines(EVENT, OTHER), NDJSON)],
    ids=["json", "ndjson"],
)
def test_a_gzipped_body_is_the_same_as_the_plain_one(offline: Live, content: bytes, kind: dict[str, str]) -> None:
    headers = kind | {"Content-Encoding": "gzip"}
    answer = offline.client.post("/v1/events", content=gzip.compress(content), headers=headers)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 2)
    assert [event.event_id for event in stored(offline)] == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (gzip.compress(b" " * 9_000_000), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(lines(EVENT))[:-9], {"Content-Encoding": "gzip"}, 422),
        (gzip.compress(lines(EVENT)) + b"more", {"Content-Encoding": "gzip"}, 422),
        (lines(EVENT), {"Content-Encoding": "gzip"}, 422),
        (lines(EVENT), {"Content-Encoding": "br"}, 415),
        (lines(EVENT), {"Content-Type": "text/plain"}, 415),
        (b"", {}, 400),
        (b'{"events": [], "more": 1}', {}, 422),
        (b'"text"', {}, 422),
        (b"\n\n", NDJSON, 422),
        (lines(*[OTHER] * 1001), NDJSON, 422),
    ],
    ids=["bomb", "cut", "tail", "plain", "brotli", "text", "none", "more", "string", "blank", "1001"],
)
def test_a_body_that_cannot_be_read_is_refused_and_nothing_is_taken(
    shared: Live, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = shared.client.post("/v1/events", content=content, headers=JSON | headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert stored(shared) == []


def test_no_more_of_a_gzipped_body_than_the_limit_is_ever_in_memory() -> None:
    assert unzipped(gzip.compress(b"x" * 100), most=100) == b"x" * 100
    with pytest.raises(InvalidRequest, match="not"):
        unzipped(b"no gzip")


def test_the_quick_way_and_the_slow_way_make_the_same_records(offline: Live) -> None:
    full = {
        **EVENT,
        "user_id": 7,
        "at": "2026-01-02T03:04:05.678+01:00",
        "session_id": "cafe\u0301",
        "recommendation_id": "r-1",
        "position": 3,
    }
    offline.client.post("/v1/events", json=[full])
    slow = {**full, "event_id": "two"}
    offline.client.post("/v1/events", json=[slow, "no event, so that the rest is read one by one"])
    first, second = stored(offline)
    assert replace_id(second, "one") == first
    at = datetime(2026, 1, 2, 2, 4, 5, 678_000, tzinfo=UTC)
    assert (first.at, first.user_id, first.session_id) == (round(at.timestamp() * 1000), "7", "caf\u00e9")
    assert (first.recommendation_id, first.position) == ("r-1", 3)


def test_a_repeated_event_without_a_time_is_no_conflict(offline: Live) -> None:
    assert offline.client.post("/v1/events", json=OTHER).json()["accepted"] == 1
    assert offline.client.post("/v1/events", json=[OTHER]).json()["duplicated"] == 1


def test_unknown_items_and_users_are_rejected_where_the_settings_say_so(
    offline_services: Services, start: Start
) -> None:
    live = start(offline_services, event_limits=EventLimits(unknown_items="reject", unknown_users="reject"))
    new_item, new_user = {**EVENT, "item_id": "new"}, {**EVENT, "user_id": "new"}
    receipt = live.client.post("/v1/events", json=[new_item, new_user, EVENT]).json()
    assert receipt["accepted"] == 1
    assert [entry["code"] for entry in receipt["rejected"]] == ["unknown_item", "unknown_user"]


def test_a_held_event_counts_when_its_item_comes_and_only_once(offline_services: Services, start: Start) -> None:
    live = start(offline_services, event_limits=EventLimits(unknown_items="hold"))
    new = {**EVENT, "item_id": "new"}
    for _ in range(2):
        answer = live.client.post("/v1/events", json=[new])
        assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "duplicated": 0, "rejected": [], "held": 1})
    assert stored(live) == []
    assert live.services.log.dead_counts()["held_for_item"] == 2
    assert live.client.put("/v1/items/new", json={"name": "New"}).status_code == 201
    assert [(event.event_id, event.item_id) for event in stored(live)] == [("one", "new")]
    assert live.services.log.dead() == []
    assert live.client.get("/v1/users/hal").json()["events"] == 1


@pytest.mark.parametrize("way", ["item", "event"])
def test_a_held_event_counts_once_when_another_server_made_its_item(
    offline_services: Services, start: Start, way: str
) -> None:
    """How a bulk load brings one: tests/clew/test_held_events.py."""
    live = start(offline_services, event_limits=EventLimits(unknown_items="hold"))
    assert live.client.post("/v1/events", json={**EVENT, "item_id": "new"}).json()["held"] == 1
    theirs = Event(event_id="theirs", user_id="ann", item_id="new", kind="view", at=1_600_000_000_000)
    live.services.log.append([NEW_ITEM if way == "item" else theirs])
    live.services.world.catch_up()  # as the follower of `clew serve` does, which is not here
    until(lambda: "one" in [event.event_id for event in stored(live)])
    until(lambda: live.services.log.awaited() == set())
    assert [event.event_id for event in stored(live)].count("one") == 1
    assert live.client.get("/v1/users/hal").json()["events"] == 1
    assert 'clew_events_total{verdict="released"} 1.0' in live.client.get("/metrics").text


def test_what_was_held_is_taken_where_items_are_created_again(offline_services: Services, start: Start) -> None:
    held = start(offline_services, event_limits=EventLimits(unknown_items="hold"))
    assert held.client.post("/v1/events", json={**EVENT, "item_id": "new"}).json()["held"] == 1
    again = start(offline_services)
    until(lambda: [event.item_id for event in stored(again)] == ["new"])


def test_a_held_event_that_is_rejected_by_now_becomes_a_dead_letter(offline_services: Services, start: Start) -> None:
    live = start(offline_services, event_limits=EventLimits(unknown_items="hold"))
    assert live.client.post("/v1/events", json={**EVENT, "item_id": "new"}).json()["held"] == 1
    assert live.client.post("/v1/events", json=EVENT).json()["accepted"] == 1  # the same id, of another item
    assert live.client.put("/v1/items/new", json={"name": "New"}).status_code == 201
    (letter,) = live.services.log.dead()
    assert (letter.code, letter.waits_for, letter.payload["item_id"]) == ("event_id_conflict", None, "new")  # type: ignore[index]


def test_an_event_may_wait_for_its_item_and_then_for_its_user(offline_services: Services, start: Start) -> None:
    live = start(offline_services, event_limits=EventLimits(unknown_items="hold", unknown_users="hold", max_held=1))
    assert live.client.post("/v1/events", json={**EVENT, "item_id": "new", "user_id": "eva"}).json()["held"] == 1
    full = live.client.post("/v1/events", json={**OTHER, "item_id": "newer"})
    assert (full.status_code, full.json()["code"], "retry-after" in full.headers) == (503, "backlog", True)
    live.client.put("/v1/items/new", json={"name": "New"})
    assert stored(live) == []
    assert [letter.waits_for for letter in live.services.log.dead()] == ["user:eva"]
    live.client.put("/v1/users/eva", json={})
    assert [event.user_id for event in stored(live)] == ["eva"]


def test_a_burst_is_put_aside_and_counted_for_that_user_alone(offline_services: Services, start: Start) -> None:
    live = start(offline_services, event_limits=EventLimits(burst_per_minute=2))
    many = [{**OTHER, "event_id": f"b{number}"} for number in range(4)]
    receipt = live.client.post("/v1/events", json=[*many, {**OTHER, "event_id": "x", "user_id": "ann"}]).json()
    assert (receipt["accepted"], [entry["code"] for entry in receipt["rejected"]]) == (3, ["burst", "burst"])
    page = live.client.get("/metrics").text
    assert 'clew_events_rejected_total{code="burst"} 2.0' in page
    assert 'clew_dead_letters{code="burst"} 2.0' in page


def test_the_next_minute_begins_anew() -> None:
    now = 0.0
    bursts = Bursts(1, clock=lambda: now)
    assert [bursts.is_over("ann"), bursts.is_over("ann"), bursts.is_over("bob")] == [False, True, False]
    now = 60.0
    assert bursts.is_over("ann") is False
    assert not any(Bursts(0).is_over("ann") for _ in range(1000))


def replace_id(event: Event, event_id: str) -> Event:
    return Event(**{**{name: getattr(event, name) for name in event.__struct_fields__}, "event_id": event_id})


def until(holds: Callable[[], bool]) -> None:
    """The releaser takes a twentieth of the time: where its first look took a second, the next is twenty later."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_full_disk_is_507_and_nothing_of_the_request_is_taken(tmp_path: Path, start: Start) -> None:
    with Log(tmp_path / "small.db", max_bytes=200_000) as log:
        world = World(log, artifact=small_artifact())
        live = start(Services(recommender=Recommender(world, None), world=world, log=log))
        assert live.client.post("/v1/events", json=EVENT).status_code == 202
        many = [{**OTHER, "event_id": f"{number}", "user_id": "u" * 250} for number in range(1000)]
        answer = live.client.post("/v1/events", json=many)
        assert (answer.status_code, answer.json()["code"]) == (507, "log_full")
        assert [event.event_id for event in stored(live)] == ["one"]
