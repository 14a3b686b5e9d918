"""The movies demo as a user starts it: one process, free ports, an empty home.

On its way to the first answer it is killed with -9 three times: in its import, its training and its publishing.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.ports import free_ports

CLEW = str(Path(sys.executable).with_name("clew"))
FIRST_START_S = 600


@dataclass(frozen=True)
class Demo:
    """A running demo. password: of its Neo4j."""

    home: Path
    port: int
    bolt_port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    output: Path
    killed: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        return (self.home / "neo4j" / "password").read_text().strip()


def start_demo(home: Path, ports: list[int], name: str = "movies") -> Demo:
    ours = ("CLEW_", "NEO4J_", "PYTEST_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    environment |= {
        "CLEW_HOME": str(home),
        "CLEW_PORT": str(ports[0]),
        "CLEW_NEO4J_BOLT_PORT": str(ports[1]),
        "CLEW_NEO4J_HTTP_PORT": str(ports[2]),
        "CLEW_CONSOLE_PORT": str(ports[3]),
        "CLEW_VERIFY_MS": "5000",  # the machine of a test run may be slow; what is checked must still be checked
        "COLUMNS": "160",
    }
    output = home.with_name(home.name + ".out")
    with output.open("ab") as file:
        process = subprocess.Popen(
            [CLEW, "demo", name],
            env=environment,
            cwd=home.parent,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Demo(home, ports[0], ports[1], environment, process, output)


def wait_until_ready(demo: Demo, timeout_s: float = FIRST_START_S) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        assert demo.process.poll() is None, demo.output.read_text()[-3000:]
        try:
            with urllib.request.urlopen(f"{demo.url}/health/ready", timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"not ready after {timeout_s} s:\n{demo.output.read_text()[-3000:]}")


def said(demo: Demo) -> str:
    return demo.output.read_text()


def kill_when(demo: Demo, name: str, has_come: Callable[[Demo], bool], timeout_s: float = FIRST_START_S) -> None:
    """Kills the demo and what it started, but for the detached Neo4j, at that moment."""
    deadline = time.monotonic() + timeout_s
    while not has_come(demo):
        assert demo.process.poll() is None, f"ended before {name}:\n{said(demo)[-3000:]}"
        assert time.monotonic() < deadline, f"never saw {name}:\n{said(demo)[-3000:]}"
        time.sleep(0.02)
    os.killpg(demo.process.pid, signal.SIGKILL)
    demo.process.wait(timeout=30)


def interrupt(demo: Demo) -> int:
    """Ctrl-C, and the exit code."""
    demo.process.send_signal(signal.SIGINT)
    return demo.process.wait(timeout=60)


@pytest.fixture(scope="session")
def movies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home, ports = tmp_path_factory.mktemp("demo") / "home", free_ports(4)
    importing = home / "neo4j" / "import.incomplete"
    moments: dict[str, Callable[[Demo], bool]] = {
        "importing": lambda _: importing.exists(),
        "training": lambda demo: "Validation" in said(demo),
        "publishing": lambda demo: "Writing Item embeddings" in said(demo) and not (home / "models/CURRENT").exists(),
    }
    for name, has_come in moments.items():
        kill_when(start_demo(home, ports), name, has_come)
    demo = replace(start_demo(home, ports), killed=tuple(moments))
    try:
        wait_until_ready(demo)
        yield demo
    finally:
        if demo.process.poll() is None:
            interrupt(demo)
