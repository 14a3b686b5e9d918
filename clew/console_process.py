"""The console as a process beside the demo."""

import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from clew.ports import require_free
from clew.settings import Settings
from domain.errors import PortTaken

STOP_S = 10.0
START_S, POLL_S = 20.0, 0.1


class ConsoleProcess:
    """start(), wait() and stop() once each. A console that cannot start takes nothing else down: `problem` says why."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self.problem: str | None = None

    @property
    def _log_file(self) -> Path:
        return self._settings.home / "logs" / "console.log"

    def start(self) -> None:
        if not find_spec("nicegui"):
            self.problem = "it needs more packages: pip install 'clew[console]'"
            return
        try:
            require_free(self._settings.console_port, "CLEW_CONSOLE_PORT")
        except PortTaken as error:
            self.problem = error.message
            return
        self._process = _started(self._log_file)

    def wait(self) -> None:
        """Until its page can be opened, or it has ended; START_S at most, after which it is left to come."""
        until = time.monotonic() + START_S
        while self._process is not None and time.monotonic() < until:
            if self._process.poll() is not None:
                self.problem = f"it ended at once; see {self._log_file}"
                return
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._settings.console_port)) == 0:
                    return
            time.sleep(POLL_S)

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
