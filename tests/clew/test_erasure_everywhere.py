"""A person is erased while servers run, on SQLite and on Kafka with Redis: no byte of them is left in any store."""

import contextlib
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis

from broker.server import BrokerConfig
from clew import farewell
from clew.farewell import Farewell
from clew.settings import Settings, environment_name
from clew.wiring import Graph, open_log, open_shared, sharing
from clew.writer import drain
from graph.server import Connection, ServerConfig
from tests.clew.processes import WITHIN_S, until
from tests.clew.test_erasure import PERSON, SECRET, VISITOR, files_with, settings
from tests.ports import free_port
from tests.redis_server import RedisServer
from tests.servers import ask

__all__ = ["settings"]
LATER = {"models' weights", "graph files", "source files"}
WORDS = (PERSON, VISITOR, SECRET)


@dataclass(frozen=True)
class Town:
    """A server in a process of its own, and a writer in a thread, on whatever stores the settings name."""

    settings: Settings
    folder: Path

    @contextlib.contextmanager
    def running(self) -> Iterator[httpx.Client]:
        stop = threading.Event()
        writer = threading.Thread(target=self._write, args=(stop,))
        with (self.folder / "out").open("ab") as output:
            command = [sys.executable, "-m", "clew", "serve", "--no-writer"]
            process = subprocess.Popen(command, env=self._environment(), cwd=self.folder, stdout=output, stderr=output)
        writer.start()
        try:
            with httpx.Client(base_url=self.settings.api_url, timeout=30) as client:
                until(lambda: client.get("/health/live").status_code == 200)
                yield client
        finally:
            process.terminate()
            process.wait(timeout=WITHIN_S)
            stop.set()
            writer.join(timeout=WITHIN_S)
        assert "Traceback" not in (self.folder / "out").read_text()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLEW_", "NEO4J_"))}
        names = ("home", "port", "events", "profiles", "neo4j_uri", "neo4j_username")
        named = {environment_name(name): str(getattr(self.settings, name)) for name in names}
        password = self.settings.neo4j_password.get_secret_value()
        return kept | named | {"NEO4J_PASSWORD": password, "CLEW_EVENTS_UNKNOWN_ITEMS": "hold"}

    def _write(self, stop: threading.Event) -> None:
        """As `clew writer`, but that a test changes for how long notices of erasures stay."""
        home = self.settings
        with contextlib.closing(Graph(home)) as graph, open_log(home) as log, open_shared(home, log) as shared:
            look = shared.look if shared else None
            with sharing(home, log, stop):
                drain(log, graph, stop, holder="test", drained=Farewell(home, log, look))


@pytest.fixture
def on_sqlite(settings: Settings, tmp_path: Path) -> Town:
    return Town(settings.model_copy(update={"port": free_port()}), tmp_path)


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def on_kafka(settings: Settings, kafka: str, redis_server: RedisServer, tmp_path: Path) -> Town:
    name = f"erasure-{uuid.uuid4().hex[:8]}"
    changes = {
        "port": free_port(),
        "events": f"kafka://{kafka}/{name}",
        "profiles": f"{redis_server.url}?name={name}",
    }
    return Town(settings.model_copy(update=changes), tmp_path)


def say_everything(client: httpx.Client) -> None:
    """Events taken, held and rejected, profile, tastes, follows, a visitor, a list and its reasons."""
    event = {"user_id": PERSON, "item_id": "alien", "kind": "view", "session_id": SECRET, "event_id": f"{PERSON}-1"}
    bad = {"user_id": PERSON, "item_id": "alien", "kind": "lick", "note": SECRET}
    held = {"user_id": PERSON, "item_id": "not-there-yet", "kind": "view", "session_id": SECRET}
    visit = {"user_id": VISITOR, "item_id": "blade", "kind": "cart"}
    told = client.post("/v1/events", json=[event, bad, held, visit]).json()
    assert (told["accepted"], told["held"], len(told["rejected"])) == (2, 1, 1)
    profile = {
        "properties": {"country": SECRET},
        "preferences": [{"entity_id": "Genre:scifi", "weight": 2}],
        "follows": ["ann"],
    }
    client.put(f"/v1/users/{PERSON}", json=profile).raise_for_status()
    client.put("/v1/users/bob", json={"follows": ["ann", PERSON]}).raise_for_status()
    client.post(f"/v1/users/{PERSON}/merge", json={"from": VISITOR}).raise_for_status()
    answer = client.post("/v1/recommendations", json={"user_id": PERSON, "n": 5}).json()
    client.get(f"/v1/users/{PERSON}/items/{answer['items'][0]['item_id']}/explanation").raise_for_status()


def redis_with(server: RedisServer, *words: str) -> list[bytes]:
    """Keys of which the name or the value holds a word."""
    with redis.Redis(port=server.port) as client:
        found = {key: client.dump(key) or b"" for key in client.scan_iter(count=1000)}
    return [key for key, value in found.items() if any(word.encode() in key + value for word in words)]


def erase(client: httpx.Client) -> dict[str, str]:
    """The states of the stores, once all that goes by itself within a moment is gone."""
    client.delete(f"/v1/users/{PERSON}").raise_for_status()

    def now() -> dict[str, str]:
        return {one["store"]: one["state"] for one in client.get(f"/v1/users/{PERSON}/erasure").json()["stores"]}

    try:
        until(lambda: {store for store, state in now().items() if state == "gone by"} - {"log"} == LATER)
    except AssertionError:
        raise AssertionError(f"the receipt still says {now()}") from None
    return now()


def check_is_gone(client: httpx.Client) -> None:
    """Nobody is told of the person, and nothing more is taken of them."""
    assert client.get(f"/v1/users/{PERSON}").status_code == 404
    assert client.put(f"/v1/users/{PERSON}", json={}).status_code == 410
    told = client.post("/v1/events", json={"user_id": PERSON, "item_id": "alien", "kind": "view"}).json()
    assert told["rejected"][0]["code"] == "erased_user"
    assert client.get(f"/v1/users/{PERSON}/recommendations").json()["fallback"]
    for path in ("/v1/users/bob", "/v1/users/c2/similar", "/v1/users/bob/export"):
        assert PERSON not in client.get(path).text
    assert client.patch("/v1/users/bob", json={"properties": {"country": "NL"}}).is_success


def graph_with(connection: Connection) -> list[dict[str, object]]:
    """Nodes and relationships of which a property holds one of the words."""
    found = "UNWIND keys(x) AS name WITH x, toStringOrNull(x[name]) AS text WHERE any(w IN $w WHERE text CONTAINS w)"
    query = f"CALL () {{ MATCH (x) RETURN x UNION ALL MATCH ()-[x]->() RETURN x }} {found} RETURN x"
    return ask(connection, query.replace("$w", str(list(WORDS))))


def test_on_sqlite_no_byte_of_a_person_is_left_while_servers_run_and_after_a_restart(
    on_sqlite: Town, server: tuple[ServerConfig, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(farewell, "FOLLOWED_S", 1.0)
    home = on_sqlite.settings.home
    with on_sqlite.running() as client:
        say_everything(client)
        until(lambda: client.get("/health/ready").json()["graph"]["writer_lag"] == 0)
        assert files_with(home, *WORDS) >= {"log/clew.db-wal", "ledger.db-wal", "rejected.jsonl"}
        assert len(graph_with(server[1])) >= 4  # two nodes, and events with a session or an id that names them
        assert erase(client)["log"] == "gone now"
        check_is_gone(client)
        assert graph_with(server[1]) == []
        assert files_with(home, *WORDS) == set()
    with on_sqlite.running() as client:
        check_is_gone(client)
    assert files_with(home, *WORDS) == set()


def test_on_kafka_with_redis_no_byte_of_a_person_is_left_while_servers_run_and_after_a_restart(
    on_kafka: Town,
    kafka_config: BrokerConfig,
    redis_server: RedisServer,
    server: tuple[ServerConfig, Connection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(farewell, "FOLLOWED_S", 1.0)
    home = on_kafka.settings.home
    with on_kafka.running() as client:
        say_everything(client)
        until(lambda: len(redis_with(redis_server, PERSON)) == 2)  # theirs, and that of bob, who follows them
        assert erase(client)["log"] == "gone by"  # nobody can read it; the brokers drop the key when they compact
        check_is_gone(client)
        assert graph_with(server[1]) == []
        assert files_with(home, *WORDS) == files_with(kafka_config.folder, *WORDS) == set()
        assert redis_with(redis_server, *WORDS) == []
    with on_kafka.running() as client:
        check_is_gone(client)
    assert files_with(home, *WORDS) == files_with(kafka_config.folder, *WORDS) == set()
    assert redis_with(redis_server, *WORDS) == []
