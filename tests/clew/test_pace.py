"""Work in the background: how much of the time it takes, and what it leaves behind."""

import sys
import time
from functools import cached_property

import pytest

from clew import pace
from clew.pace import REST, paced

BUSY_S = 0.05


class _Lazy:
    inside = False

    @cached_property
    def found(self) -> float:
        self.inside = True
        used = _busy()
        self.inside = False
        return used


def _step() -> float:
    return time.thread_time()


def _busy() -> float:
    """Computes for a while, a function call at a time, and says for how long."""
    began = _step()
    while _step() - began < BUSY_S:
        pass
    return _step() - began


def test_the_thread_rests_four_times_as_long_as_it_works() -> None:
    began = time.monotonic()
    with paced():
        used = _busy()
    assert time.monotonic() - began >= 0.8 * REST * used  # it is never woken early


def test_what_was_set_is_as_before_even_after_an_error() -> None:
    before = sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError), paced():
        raise ZeroDivisionError(sys.getswitchinterval())
    with paced():
        assert sys.getswitchinterval() < before
    assert (sys.getswitchinterval(), sys.getprofile()) == (before, None)


def test_it_does_not_rest_while_it_holds_the_lock_that_all_instances_share(monkeypatch: pytest.MonkeyPatch) -> None:
    lazy, rested = _Lazy(), list[bool]()
    monkeypatch.setattr(pace.time, "sleep", lambda _: rested.append(lazy.inside))
    with paced():
        assert lazy.found >= BUSY_S
        _busy()
    assert rested
    assert not any(rested)
