"""One round: a shop posts, a process is killed and comes back, and everything acknowledged is in the graph once."""

import logging
import os
import random
import time
from collections.abc import Callable, Mapping

from tests.chaos.town import Sender, Town, settle

ROUNDS = int(os.environ.get("CLEW_TEST_ROUNDS", "0"))
TOLD = "round %d, %s killed: %d events in the graph, %d posts again, %d lost, %d doubled"


def rounds(victims: tuple[str, ...]) -> list[tuple[int, str]]:
    """Numbered victims: each once, or as many as `make chaos ROUNDS=...` wants."""
    return [(number, victims[number % len(victims)]) for number in range(max(ROUNDS, len(victims)))]


def play(town: Town, number: int, victim: str, kills: Mapping[str, Callable[[], None]]) -> None:
    chance = random.Random(number)
    with Sender(town, f"r{number}") as sender:
        time.sleep(chance.uniform(0.3, 1.5))
        kills[victim]()
        time.sleep(chance.uniform(0.2, 1.0))
    assert sender.refused == []
    stored = settle(town, set(sender.sent))
    lost, doubled = set(sender.sent) - stored.keys(), [event for event, times in stored.items() if times > 1]
    logging.getLogger("chaos").info(TOLD, number, victim, len(stored), sender.repeats, len(lost), len(doubled))
    assert (lost, doubled) == (set(), []), town.said()
