"""The log on Kafka and profiles in Redis at once: two machines, each a home of its own, and one writer."""

import contextlib
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clew.processes import until
from tests.ports import free_port
from tests.redis_server import RedisServer

pytest.importorskip("confluent_kafka")


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def machines(
    kafka: str, redis_server: RedisServer, environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Servers without Neo4j and without a model; the first machine's writer fills Redis."""
    name = f"both-{uuid.uuid4().hex[:8]}"
    shared = environment | {
        "CLEW_EVENTS": f"kafka://{kafka}/{name}",
        "CLEW_PROFILES": f"{redis_server.url}?name={name}",
    }
    homes = [{"CLEW_HOME": str(tmp_path / place), "CLEW_PORT": str(free_port())} for place in ("a", "b")]
    commands = [(["serve", "--no-writer"], homes[0]), (["serve", "--no-writer"], homes[1]), (["writer"], homes[0])]
    with (tmp_path / "out").open("wb") as output, contextlib.ExitStack() as running:
        for command, own in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", "clew", *command], env=shared | own, cwd=tmp_path, stdout=output, stderr=output
            )
            running.callback(process.wait)
            running.callback(process.kill)
        urls = [f"http://127.0.0.1:{own['CLEW_PORT']}" for own in homes]
        first, second = (running.enter_context(httpx.Client(base_url=url, timeout=30)) for url in urls)
        until(lambda: all(client.get("/health/live").status_code == 200 for client in (first, second)))
        yield first, second
    assert "Traceback" not in (tmp_path / "out").read_text()


def test_an_event_of_one_machine_is_in_the_next_list_of_the_other_and_counts_once_on_both(
    machines: tuple[httpx.Client, httpx.Client],
) -> None:
    here, there = machines
    assert here.put("/v1/items/alien", json={"name": "Alien"}).status_code < 300
    assert here.put("/v1/items/blade", json={"name": "Blade Runner"}).status_code < 300
    for user_id, item_id in (("ann", "alien"), ("bob", "alien"), ("bob", "blade")):
        event = {"event_id": f"{user_id}-{item_id}", "user_id": user_id, "item_id": item_id, "kind": "purchase"}
        assert here.post("/v1/events", json=event).json()["accepted"] == 1
        until(
            lambda again=event: there.post("/v1/events", json=again).json()["duplicated"] == 1
        )  # known a moment later
    assert [listed(client, "ann") for client in machines] == [["blade"], ["blade"]]  # ann took alien; bob took both
    late = {"event_id": "late", "user_id": "ann", "item_id": "blade", "kind": "purchase"}
    assert there.post("/v1/events", json=late).json()["accepted"] == 1
    until(lambda: listed(here, "ann") == [])
    until(lambda: [shared(client).get("lag") for client in machines] == [0, 0])
    assert all(shared(client)["ok"] for client in machines)
    assert [client.get("/v1/users/ann").json()["events"] for client in machines] == [2, 2]


def test_a_rule_that_one_machine_writes_holds_on_the_other_within_a_second(
    machines: tuple[httpx.Client, httpx.Client],
) -> None:
    here, there = machines
    for user_id, item_id in (("ann", "alien"), ("bob", "alien"), ("bob", "blade"), ("bob", "heat")):
        posted = {"user_id": user_id, "item_id": item_id, "kind": "purchase"}
        assert here.post("/v1/events", json=posted).json()["accepted"] == 1
    until(lambda: set(listed(there, "ann")) == {"blade", "heat"})
    rule = {"consequence": {"effect": "hide", "target": {"item_ids": ["blade"]}}}
    took_s = list[float]()
    for written, read in ((here, there), (there, here), (here, there)):
        assert written.put("/v1/rules/no-blade", json=rule).status_code == 201
        took_s.append(waited_s(lambda client=read: listed(client, "ann") == ["heat"]))
        assert written.delete("/v1/rules/no-blade").status_code == 204
        took_s.append(waited_s(lambda client=read: "blade" in listed(client, "ann")))
    assert sorted(took_s)[len(took_s) // 2] < 1, "of six times the middle one: the machine does other things too"


def waited_s(holds: Callable[[], bool]) -> float:
    begun = time.monotonic()
    until(holds)
    return time.monotonic() - begun


def listed(client: httpx.Client, user_id: str) -> list[str]:
    answer = client.post("/v1/recommendations", json={"user_id": user_id, "n": 10}).json()
    return [item["item_id"] for item in answer["items"]]


def shared(client: httpx.Client) -> dict[str, Any]:
    return client.get("/health/ready").json()["profiles"]["shared"]
