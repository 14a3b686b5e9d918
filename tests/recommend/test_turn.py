"""One thread computes at a time, and gives its turn away while it waits for Neo4j."""

import threading
from collections.abc import Mapping

import pytest

from domain.errors import GraphUnavailable
from recommend.turn import Turn, WaitingAside


class Slow:
    """Answers once another thread has had the turn."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = 10
    ) -> list[dict[str, object]]:
        had = threading.Event()

        def other() -> None:
            with self._turn:
                had.set()

        threading.Thread(target=other).start()
        if not had.wait(timeout_s):
            raise GraphUnavailable("no other thread had the turn")
        return [{"statement": statement}]


def test_another_thread_computes_while_neo4j_is_asked() -> None:
    turn = Turn()
    with turn:
        assert WaitingAside(Slow(turn), turn).rows("a", {}, timeout_s=30) == [{"statement": "a"}]


def test_the_turn_is_back_when_neo4j_does_not_answer() -> None:
    turn = Turn()

    class Away:
        def rows(self, *_: object, **__: object) -> list[dict[str, object]]:
            raise GraphUnavailable("away")

    with pytest.raises(GraphUnavailable), turn:
        WaitingAside(Away(), turn).rows("a", {}, timeout_s=1)
    with turn:  # it was given back once: it can be had again
        pass
