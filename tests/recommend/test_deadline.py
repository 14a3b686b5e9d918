"""Answers that come in time, and those that do not."""

import threading
import time

import pytest

from domain.errors import GraphUnavailable
from recommend import deadline
from recommend.deadline import Deadline, Patience


def test_an_answer_in_time_is_given_on_and_so_is_a_refusal() -> None:
    assert Patience().wait(lambda: 7, 30) == 7
    with pytest.raises(ZeroDivisionError):
        Patience().wait(lambda: 1 // 0, 30)


def test_what_hangs_is_given_up_when_its_time_is_over() -> None:
    released = threading.Event()
    began = time.monotonic()
    with pytest.raises(GraphUnavailable, match=r"within 0\.05 s"):
        Patience().wait(lambda: released.wait(60), 0.05)
    released.set()
    assert time.monotonic() - began < 30


class _Server:
    """A server that cannot be reached while `is_away`, and counts how often that was tried."""

    def __init__(self) -> None:
        self.is_away, self.tries = True, 0

    def rows(self, *_: object, **__: object) -> list[dict[str, object]]:
        self.tries += 1
        if self.is_away:
            raise GraphUnavailable("refused")
        return [{"one": 1}]


def test_a_server_that_is_away_is_tried_again_half_a_second_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(deadline, "monotonic", lambda: now)
    server = _Server()
    graph = Deadline(server)
    for _ in range(5):
        with pytest.raises(GraphUnavailable):
            graph.rows("a", {}, timeout_s=30)
    assert server.tries == 1
    server.is_away, now = False, 100.49
    with pytest.raises(GraphUnavailable, match="a moment ago"):
        graph.rows("a", {}, timeout_s=30)
    now = 100.51
    assert graph.rows("a", {}, timeout_s=30) == [{"one": 1}]
    assert graph.rows("a", {}, timeout_s=30) == [{"one": 1}]
