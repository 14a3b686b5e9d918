"""A real Redis for tests: started on a free port, killed and started again at will."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest
import redis

from tests.ports import free_port

START_S = 15


class RedisServer:
    """Nothing is kept on disk: killed and started again, it is empty."""

    def __init__(self, folder: Path) -> None:
        binary = shutil.which("redis-server")
        if binary is None:
            pytest.skip("redis-server is not installed")
        self._command = [binary, "--port", "{port}", "--save", "", "--appendonly", "no", "--dir", str(folder)]
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [part.format(port=self.port) for part in self._command]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        with redis.Redis(port=self.port) as client:
            deadline = time.monotonic() + START_S
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    assert time.monotonic() < deadline, "redis-server does not start"
                    time.sleep(0.02)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
