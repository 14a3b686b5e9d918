"""As test_crashes, with the log on Kafka and profiles in Redis, and those are killed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import server as broker
from broker.server import BrokerConfig
from tests.chaos.rounds import play, rounds
from tests.chaos.town import Neo4j, Town, kill
from tests.ports import free_ports
from tests.redis_server import RedisServer

VICTIMS = ("kafka", "redis", "api")


class Kafka:
    """A broker to be killed. A context manager."""

    def __init__(self, home: Path) -> None:
        self._config = BrokerConfig(home, port=free_ports(2)[0], start_timeout_s=180)

    def __enter__(self) -> "Kafka":
        self.address = broker.up(self._config).address
        return self

    def __exit__(self, *_: object) -> None:
        broker.down(self._config)

    def kill(self) -> None:
        """kill -9, and it is started again on the same store."""
        kill(json.loads(self._config.pid_file.read_text())["pid"])
        broker.up(self._config)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    with Kafka(tmp_path_factory.mktemp("kafka")) as made:
        yield made


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    made = RedisServer(tmp_path_factory.mktemp("redis"))
    yield made
    made.kill()


@pytest.fixture(scope="module")
def town(neo4j: Neo4j, kafka: Kafka, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home, events = tmp_path_factory.mktemp("town"), f"kafka://{kafka.address}/chaos"
    with Town(home, neo4j, CLEW_EVENTS=events, CLEW_PROFILES=redis.url) as made:
        yield made


@pytest.mark.parametrize(("number", "victim"), rounds(VICTIMS))
def test_what_kafka_acknowledged_is_in_the_graph_once(
    town: Town, kafka: Kafka, redis: RedisServer, number: int, victim: str
) -> None:
    def kill_redis() -> None:
        redis.kill()
        redis.start()

    play(town, number, victim, {"kafka": kafka.kill, "redis": kill_redis, "api": town.kill_api})
