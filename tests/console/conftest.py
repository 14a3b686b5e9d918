"""The console as a merchandiser meets it: its own process, a real API on the hand-written world, a real Chromium."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from api.services import Services
from ingest.log import Log
from recommend.ledger import Ledger
from recommend.recommender import Recommender
from recommend.world import World
from tests.api.conftest import Live, running
from tests.ports import free_port
from tests.recommend.small_model import small_artifact

READY_S = 60
PATIENT_MS = 30_000
LAPTOP = {"width": 1366, "height": 768}


@dataclass(frozen=True)
class Console:
    """A running console."""

    url: str
    process: subprocess.Popen[bytes]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page on a laptop. A script that fails fails the test."""
    opened = chromium.new_page(viewport=LAPTOP)
    opened.set_default_timeout(PATIENT_MS)
    expect.set_options(timeout=PATIENT_MS)
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    opened.close()
    assert faults == []


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The small model of the hand-written world, without a Neo4j."""
    folder = tmp_path_factory.mktemp("api")
    with Log(folder / "log.db") as log:
        ledger = Ledger(folder / "ledger.db", days=30, max_bytes=2**24, is_erased=log.is_erased)
        world = World(log, artifact=small_artifact())
        recommender = Recommender(world, None, ledger=ledger)
        with running(Services(recommender=recommender, world=world, log=log, ledger=ledger)) as live:
            yield live
        ledger.close()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Console]]:
    """Starts a console of some API: start(url, key)."""
    folder = tmp_path_factory.mktemp("console")
    consoles: list[Console] = []

    def start_one(api_url: str, key: str = "") -> Console:
        consoles.append(started(folder, api_url, key))
        return consoles[-1]

    yield start_one
    for console in consoles:
        console.process.terminate()
        console.process.wait(timeout=30)


@pytest.fixture(scope="module")
def console(api: Live, start: Callable[..., Console]) -> Console:
    return start(api.url)


def started(folder: Path, api_url: str, key: str = "") -> Console:
    """A console that answers."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLEW_", "NEO4J_", "PYTEST_"))}
    settings = {
        "CLEW_HOME": str(folder / "home"),
        "CLEW_CONSOLE_PORT": str(port),
        "CLEW_CONSOLE_API": api_url,
        "CLEW_CONSOLE_KEY": key,
    }
    output = folder / f"{port}.out"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "clew", "console"], env=kept | settings, cwd=folder, stdout=file, stderr=file
        )
    console, deadline = Console(f"http://127.0.0.1:{port}", process), time.monotonic() + READY_S
    while time.monotonic() < deadline:
        assert process.poll() is None, output.read_text()
        try:
            if httpx.get(console.url, timeout=5).is_success:
                return console
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(output.read_text())
