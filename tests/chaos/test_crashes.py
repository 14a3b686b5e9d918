"""kill -9 in the middle of load: every acknowledged event is in the graph once, and only once.

`make chaos` runs twenty rounds and more (ROUNDS=...); without it each process is killed once.
"""

import logging
import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.chaos.town import Sender, Town, settle

ROUNDS = int(os.environ.get("CLEW_TEST_ROUNDS", "0"))
VICTIMS = ("api", "writer", "neo4j")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Town(tmp_path_factory.mktemp("chaos")) as made:
        made.start_api()
        yield made


@pytest.mark.parametrize("number", range(max(ROUNDS, len(VICTIMS))))
def test_what_was_acknowledged_is_in_the_graph_once(town: Town, number: int) -> None:
    victim, chance = VICTIMS[number % len(VICTIMS)], random.Random(number)
    with Sender(town, f"r{number}") as sender:
        time.sleep(chance.uniform(0.3, 1.5))
        {"api": town.kill_api, "writer": town.kill_writer, "neo4j": town.kill_neo4j}[victim]()
        time.sleep(chance.uniform(0.2, 1.0))
    assert sender.refused == []
    stored = settle(town, set(sender.sent))
    lost, doubled = set(sender.sent) - stored.keys(), [event for event, times in stored.items() if times > 1]
    told = "round %d, %s killed: %d events, %d posts again, %d lost, %d doubled"
    logging.getLogger("chaos").info(told, number, victim, len(stored), sender.repeats, len(lost), len(doubled))
    assert (lost, doubled) == (set(), []), town.said()
