"""Trains again and again, as time passes or events come: `clew train --watch`.

Each training is a process of its own, with one thread and a low priority, so that serving beside it stays fast and its
memory is free again afterwards. It publishes what it made, and running servers take it up.
"""

import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from clew import models
from clew.threads import NAMES
from domain.errors import InvalidRequest, LogError

POLL_S = 2.0
AFTER_FAILURE_S = 60.0
NICE = 10
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
logger = logging.getLogger("clew.watch")


@dataclass(frozen=True)
class When:
    """A training is due when either holds. every_s: seconds since the last; after_events: log records since it."""

    every_s: float | None
    after_events: int | None


def seconds_of(text: str) -> float:
    """3600 of "1h"; units: s, m, h, d. Raises: InvalidRequest."""
    found = re.fullmatch(r"(\d+)([smhd])", text.strip())
    if not found or int(found[1]) == 0:
        raise InvalidRequest(f"{text!r} is no span of time; write 30m, 1h or 1d", field="every")
    return float(int(found[1]) * UNITS[found[2]])


def watch(
    models_dir: Path, last_offset: Callable[[], int], when: When, stop: threading.Event, train: Callable[[], int]
) -> None:
    """Until `stop` is set: `train`, which gives an exit code, whenever it is due.

    What is due is told by the models on disk, so that a watch that was stopped goes on where it was.
    """
    tried_at = time.monotonic() - (when.every_s or 0.0)
    not_before = 0.0
    while not stop.is_set():
        now = time.monotonic()
        if now >= not_before and _is_due(models_dir, last_offset, when, now - tried_at):
            tried_at = now
            code = train()
            if code != 0 and not stop.is_set():
                logger.warning("the training ended with code %d; see above; the model that serves stays", code)
                not_before = time.monotonic() + AFTER_FAILURE_S
        stop.wait(POLL_S)


def train_apart(arguments: list[str], stop: threading.Event) -> int:
    """One `clew train` in its own process; ended when `stop` is set. Returns its exit code."""
    command = [sys.executable, "-m", "clew", "train", "--unless-trained", *arguments]
    environment = os.environ | dict.fromkeys(NAMES, "1")
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, start_new_session=True)
    psutil.Process(process.pid).nice(NICE)
    while process.poll() is None:
        if stop.wait(0.2):
            process.terminate()
            process.wait()
    return process.returncode


def _is_due(models_dir: Path, last_offset: Callable[[], int], when: When, tried_s: float) -> bool:
    newest = models.newest(models_dir)
    if newest is None or newest.created_at is None or newest.log_offset is None:
        return True
    if when.every_s is not None:
        age_s = (datetime.now(UTC) - datetime.fromisoformat(newest.created_at)).total_seconds()
        if min(age_s, tried_s) >= when.every_s:
            return True
    if when.after_events is None:
        return False
    try:
        return last_offset() - newest.log_offset >= when.after_events
    except LogError as error:
        logger.warning("the log cannot be read: %s", error.message)
        return False
