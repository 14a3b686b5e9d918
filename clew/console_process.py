"""The console as a process beside the demo."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from clew.ports import require_free
from clew.settings import Settings
from domain.errors import PortTaken

STOP_S = 10.0


class ConsoleProcess:
    """start() and stop() once each. A console that cannot start takes nothing else down: `problem` says why."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.problem: str | None = None

    def start(self) -> None:
        if not find_spec("nicegui"):
            self.problem = "it needs more packages: pip install 'clew[console]'"
            return
        try:
            require_free(self._settings.console_port, "CLEW_CONSOLE_PORT")
        except PortTaken as error:
            self.problem = error.message
            return
        self._process = _started(self._settings.home / "logs" / "console.log")

    def stop(self) -> None:
        """Ends it: kindly, and after 10 s by force."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _started(log_file: Path) -> subprocess.Popen[bytes]:
    """In a process group of its own, so that Ctrl-C in the terminal reaches the demo first and not both."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "clew", "console", "--parent", str(os.getpid())]
    with log_file.open("ab") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
