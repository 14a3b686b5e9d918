"""Answers that come in time, and those that do not."""

import threading
import time

import pytest

from domain.errors import GraphUnavailable
from recommend.deadline import Patience


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
