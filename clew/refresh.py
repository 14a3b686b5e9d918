"""Has a serving process take up a new model, or newly loaded data, with no request waiting for it.

What is new is read and warmed up beside what serves, in a thread of its own; the switch is one assignment.
"""

import gc
import logging
import subprocess
import sys
import threading
from collections.abc import Callable

import psutil

from clew.erasing import scrub_home
from clew.pace import paced
from clew.settings import Settings
from clew.warm import touch
from clew.watch import NICE
from clew.wiring import Wired
from domain.errors import ClewError, DamagedArtifact
from embeddings.artifact import current_version, load_artifact
from graph.snapshot import newest_snapshot
from recommend.world import World

INTERVAL_S = 2.0
SNAPSHOT_S = 600.0
logger = logging.getLogger("clew.serve")


class Refresher:
    """Looks every two seconds, in a thread of its own."""

    def __init__(self, settings: Settings, wired: Wired) -> None:
        self._settings = settings
        self._wired = wired
        self._world = wired.services.world
        self._stop = threading.Event()
        self._refused: str | None = None
        self._left_epoch: str | None = None
        self._thread = threading.Thread(target=self._run, name="refresher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=INTERVAL_S)

    def look(self) -> bool:
        """Looks now. Returns whether something new serves."""
        version = current_version(self._settings.models_dir)
        if version is not None and version not in (self._world.model_version, self._refused):
            return self._take_model(version)
        return self._take_data()

    def _take_model(self, version: str) -> bool:
        try:
            self._serve(lambda: self._world.beside(artifact=load_artifact(self._settings.models_dir, version)))
        except DamagedArtifact as error:
            self._refused = version
            logger.error("the model %s does not serve: %s", version, error.message)
            return False
        logger.info("the model %s serves", version)
        return True

    def _take_data(self) -> bool:
        """A bulk load goes past the log: it is known by its mark in the graph."""
        epoch = self._epoch()
        if epoch in (None, self._left_epoch, self._world.view().snapshot.epoch) or not self._take_snapshot():
            return False
        self._serve(lambda: self._world.beside(snapshot=newest_snapshot(self._settings.cache_dir)))
        if self._world.view().snapshot.epoch != epoch:  # another load came in between: the next look sees to it
            self._left_epoch = epoch
            return False
        logger.info("newly loaded data serves; `clew train` has the model learn from it")
        return True

    def _serve(self, make: Callable[[], World]) -> None:
        scrub_home(self._settings, self._wired.log)
        with paced():
            fresh = make()
            touch(fresh)
        self._world.adopt(fresh)
        gc.freeze()  # as at the start: no request waits while it is searched for garbage

    def _epoch(self) -> str | None:
        """The mark of the last complete load; None while there is none, or Neo4j is away."""
        try:
            state = self._wired.graph.store().load_state()
        except ClewError:
            return None
        return state.fingerprint if state is not None and state.state == "complete" else None

    def _take_snapshot(self) -> bool:
        """In a process of its own: reading a graph takes seconds of Python, which requests would feel."""
        command = [sys.executable, "-m", "clew", "snapshot"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            psutil.Process(process.pid).nice(NICE)
            try:
                _, said = process.communicate(timeout=SNAPSHOT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if process.returncode:
            logger.warning("newly loaded data does not serve yet: %s", said.strip())
        return process.returncode == 0

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            try:
                self.look()
            except (ClewError, subprocess.TimeoutExpired) as error:
                logger.warning("nothing new could be taken up: %s", error)
