"""The console beside the demo: when its address is told, it can be opened, or it says why not."""

import os
from pathlib import Path

import httpx
import pytest

from clew.console_process import ConsoleProcess
from clew.settings import Settings
from tests.ports import free_port


def test_after_waiting_its_page_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = at(tmp_path, monkeypatch)
    console = ConsoleProcess(settings)
    console.start()
    try:
        console.wait()
        assert console.problem is None
        assert httpx.get(settings.console_url, follow_redirects=True).status_code == 200
    finally:
        console.stop()


def test_one_that_ends_at_once_says_where_its_words_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = at(tmp_path, monkeypatch)
    monkeypatch.setenv("CLEW_CONSOLE_PORT", "none")
    console = ConsoleProcess(settings)
    console.start()
    try:
        console.wait()
        assert console.problem == f"it ended at once; see {tmp_path / 'home' / 'logs' / 'console.log'}"
        assert "CLEW_CONSOLE_PORT" in (tmp_path / "home" / "logs" / "console.log").read_text()
    finally:
        console.stop()


def at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that the process reads too."""
    made = Settings(home=folder / "home", console_port=free_port())
    monkeypatch.setenv("CLEW_HOME", str(made.home))
    monkeypatch.setenv("CLEW_CONSOLE_PORT", str(made.console_port))
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)  # NiceGUI takes them for its own test mode
    return made
