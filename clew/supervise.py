"""Keeps one writer process running beside the API, and starts it again when it dies."""

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
HEALTHY_S = 60.0
STOP_S = 15.0
logger = logging.getLogger("clew.serve")


class WriterSupervisor:
    """start() and stop() once each. log_file: where the writer's own messages go."""

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="writer-supervisor", daemon=True)

    @property
    def pid(self) -> int | None:
        """The writer's process id; None between two starts."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the writer: kindly, and after 15 s by force."""
        self._stop.set()
        process = self._process
        if process is not None:
            process.terminate()
        self._thread.join(timeout=STOP_S)
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._stop.is_set():
            started = time.monotonic()
            code = self._run_once()
            if self._stop.is_set():
                return
            wait_s = FIRST_WAIT_S if time.monotonic() - started > HEALTHY_S else min(2 * wait_s, LONGEST_WAIT_S)
            logger.warning("the writer ended with code %s; another in %.1f s; see %s", code, wait_s, self._log_file)
            self._stop.wait(wait_s)

    def _run_once(self) -> int:
        """A process group of its own, so that Ctrl-C in the terminal reaches the API first and not both."""
        command = [sys.executable, "-m", "clew", "writer", "--wait", "--parent", str(os.getpid())]
        with self._log_file.open("ab") as output:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        if self._stop.is_set():
            self._process.terminate()
        return self._process.wait()
