"""Has a serving process take up a new model, or, while there is none, newly loaded data."""

import logging
import threading

from clew.settings import Settings
from clew.wiring import Wired, snapshot_or_none
from domain.errors import ClewError, DamagedArtifact
from domain.progress import Silent
from embeddings.artifact import current_version, load_artifact
from graph.store import LoadState

INTERVAL_S = 2.0
logger = logging.getLogger("clew.serve")


class Refresher:
    """Looks every two seconds, in a thread of its own."""

    def __init__(self, settings: Settings, wired: Wired) -> None:
        self._settings = settings
        self._wired = wired
        self._stop = threading.Event()
        self._refused: str | None = None
        self._loaded = self._load_state() if wired.services.world.view().snapshot.version != "empty" else None
        self._thread = threading.Thread(target=self._run, name="refresher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=INTERVAL_S)

    def look(self) -> bool:
        """Looks now. Returns whether something new serves."""
        world = self._wired.services.world
        version = current_version(self._settings.models_dir)
        if version is not None and version not in (world.model_version, self._refused):
            return self._take_model(version)
        return world.model_version is None and self._take_data()

    def _take_model(self, version: str) -> bool:
        try:
            self._wired.services.world.swap(load_artifact(self._settings.models_dir, version))
        except DamagedArtifact as error:
            self._refused = version
            logger.error("the model %s does not serve: %s", version, error.message)
            return False
        logger.info("the model %s serves", version)
        return True

    def _take_data(self) -> bool:
        state = self._load_state()
        if state is None or state == self._loaded or state.state != "complete":
            return False
        found = snapshot_or_none(self._settings, self._wired.graph, Silent())
        if found is None:
            return False
        self._wired.services.world.reload(found)
        self._loaded = state
        logger.info("newly loaded data serves; `clew train` makes a model of it")
        return True

    def _load_state(self) -> LoadState | None:
        try:
            return self._wired.graph.store().load_state()
        except ClewError:
            return None

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            try:
                self.look()
            except ClewError as error:
                logger.warning("nothing new could be taken up: %s", error.message)
