"""Profiles in a real Redis: the same as from the log, read on a miss, done without while it is away."""

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clew.sharing import SharedWatch, share, share_once
from domain.records import UserErased, UserMerged
from ingest.log import Log
from recommend.profiles import Room
from recommend.recommender import Recommender
from recommend.shared import ANOTHER_LOG, SharedProfiles, SharedShelf
from recommend.world import World
from tests.clew.processes import until
from tests.recommend.small_model import small_artifact
from tests.recommend.test_recommend_world import event
from tests.redis_server import RedisServer

USERS = [f"u{number}" for number in range(50)]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with Log(tmp_path / "log.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def shared(redis_server: RedisServer, log: Log) -> Iterator[SharedProfiles]:
    """An empty Redis."""
    redis_server.kill()
    redis_server.start()
    found = SharedProfiles(redis_server.url, log.last_offset)
    found.look()
    yield found
    found.close()


def small_world(log: Log, shared: SharedProfiles) -> World:
    """One that has no room for more than a handful of users."""
    return World(log, artifact=small_artifact(), room=Room(4_000, lambda: SharedShelf(shared)))


def fill(log: Log, *, number: int = 1) -> None:
    log.append([event(user_id, "thelma", number=number) for user_id in USERS])


def same_as_alone(world: World, log: Log) -> bool:
    """Whether every user is known as to a process with room for all."""
    alone = World(log, artifact=small_artifact())
    world.catch_up()
    return all(world.view().user(user_id) == alone.view().user(user_id) for user_id in (*USERS, "ann", "v", "gone"))


def test_a_user_who_left_memory_is_read_from_redis(log: Log, shared: SharedProfiles) -> None:
    fill(log)
    log.append([event("v", "alien"), UserMerged(user_id="ann", from_id="v"), event("gone", "alien")])
    log.append([UserErased(user_id="gone")])
    assert share_once(log, shared) == 54
    world = small_world(log, shared)
    assert world.view().profiles.relies_on_shared
    assert world.view().profiles.counts.users < 20
    assert same_as_alone(world, log)
    fill(log, number=2)  # not in Redis yet
    assert same_as_alone(world, log)
    share_once(log, shared)
    fill(log, number=3)
    assert same_as_alone(world, log)


def test_a_process_never_knows_more_than_it_has_read_of_the_log(log: Log, shared: SharedProfiles) -> None:
    fill(log)
    share_once(log, shared)
    world = small_world(log, shared)
    fill(log, number=2)
    share_once(log, shared)
    assert [len(world.view().user(user_id).events) for user_id in USERS] == [1] * 50  # type: ignore[union-attr]
    world.catch_up()
    assert [len(world.view().user(user_id).events) for user_id in USERS] == [2] * 50  # type: ignore[union-attr]
    row = world.view().catalogue.item_rows["thelma"]
    alone = World(log, artifact=small_artifact())
    assert world.view().popular_counts[0][row] == alone.view().popular_counts[0][row]


def test_when_redis_dies_the_process_goes_on_alone_says_so_once_and_uses_it_again(
    log: Log, redis_server: RedisServer, shared: SharedProfiles, caplog: pytest.LogCaptureFixture
) -> None:
    fill(log)
    share_once(log, shared)
    world = small_world(log, shared)
    watch = SharedWatch(shared, world)
    redis_server.kill()
    with caplog.at_level(logging.INFO, "clew.profiles"):
        assert not watch.look().ok
        assert not watch.look().ok
        assert same_as_alone(world, log)
        assert not world.view().profiles.relies_on_shared
        assert Recommender(world, None).profile("u7").events == 1
        redis_server.start()
        assert watch.look().ok
        assert share_once(log, shared) == 50  # all of it: it came back empty
        assert same_as_alone(world, log)
        assert world.view().profiles.relies_on_shared
    assert [record.levelname for record in caplog.records if "not used" in record.message] == ["WARNING"]
    assert len([record for record in caplog.records if "shares profiles" in record.message]) == 1


def test_a_redis_that_came_back_with_less_is_not_believed(
    log: Log, redis_server: RedisServer, shared: SharedProfiles
) -> None:
    fill(log)
    share_once(log, shared)
    world = small_world(log, shared)
    watch = SharedWatch(shared, world)
    redis_server.kill()
    redis_server.start()  # between two looks
    watch.look()
    assert same_as_alone(world, log)


def test_a_redis_that_was_filled_from_another_log_is_not_used(
    log: Log, redis_server: RedisServer, shared: SharedProfiles, tmp_path: Path
) -> None:
    fill(log)
    share_once(log, shared)
    with Log(tmp_path / "other.db") as other:
        other.append([event("zoe", "alien")])
        wrong = SharedProfiles(redis_server.url, other.last_offset)
        assert wrong.look().error == ANOTHER_LOG
        assert share_once(other, wrong) is None
        assert same_as_alone(small_world(other, wrong), other)
        wrong.close()
        named = SharedProfiles(f"{redis_server.url}?name=other", other.last_offset)
        assert share_once(other, named) == 1
        named.close()


def test_two_writers_at_once_write_every_record_once(
    log: Log, redis_server: RedisServer, shared: SharedProfiles
) -> None:
    stop = threading.Event()
    rival = SharedProfiles(redis_server.url, log.last_offset)
    threads = [threading.Thread(target=share, args=(log, one, stop)) for one in (shared, rival)]
    for thread in threads:
        thread.start()
    for number in range(1, 21):
        log.append([event(user_id, "thelma", number=number) for user_id in USERS[:5]])
    deadline = time.monotonic() + 20
    while shared.look().offset < log.last_offset():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    assert [len(found.events) for user_id in USERS[:5] if (found := shared.get(user_id))] == [20] * 5
    rival.close()


def test_server_and_writer_share_profiles_and_say_when_redis_is_gone(
    redis_server: RedisServer, environment: dict[str, str], tmp_path: Path
) -> None:
    """As processes, without Neo4j: the writer fills Redis all the same."""
    redis_server.kill()
    redis_server.start()
    environment |= {"CLEW_PROFILES": f"{redis_server.url}?name=processes"}
    url = f"http://127.0.0.1:{environment['CLEW_PORT']}"

    def told() -> str:
        return (tmp_path / "out").read_text()

    with (tmp_path / "out").open("wb") as output, contextlib.ExitStack() as running:
        for command in (["serve", "--no-writer"], ["writer"]):
            process = subprocess.Popen(
                [sys.executable, "-m", "clew", *command], env=environment, cwd=tmp_path, stdout=output, stderr=output
            )
            running.callback(process.wait)
            running.callback(process.kill)
        client = running.enter_context(httpx.Client(base_url=url, timeout=10))
        until(lambda: client.get("/health/live").status_code == 200)
        posted = [{"user_id": "ann", "item_id": f"i{number}", "kind": "view"} for number in range(20)]
        assert client.post("/v1/events", json=posted).json()["accepted"] == 20
        until(lambda: shared_health(client) == {"where": redis_server.url, "ok": True, "lag": 0})
        redis_server.kill()
        until(lambda: not shared_health(client)["ok"])
        assert "refused" in shared_health(client)["error"]
        assert "clew_profiles_shared_up 0.0" in client.get("/metrics").text
        assert client.post("/v1/events", json=posted[0]).json()["accepted"] == 1
        assert client.get("/v1/users/ann").json()["events"] == 21
        until(lambda: told().count("is not used, this process goes on alone") == 2)  # the server's and the writer's
        redis_server.start()
        until(lambda: shared_health(client).get("lag") == 0)
    assert "Traceback" not in told()


def shared_health(client: httpx.Client) -> dict[str, Any]:
    return client.get("/health/ready").json()["profiles"]["shared"]
