"""The command line as a user runs it: a process of its own, an empty home, free ports."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ports import free_port


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Settings of nobody else, with a home that does not exist yet."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}
    return kept | {
        "CLEW_HOME": str(tmp_path / "home"),
        "CLEW_PORT": str(free_port()),
        "CLEW_NEO4J_BOLT_PORT": str(free_port()),
        "CLEW_NEO4J_HTTP_PORT": str(free_port()),
        "COLUMNS": "160",
    }


@pytest.fixture
def clew(environment: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `clew` with these arguments: clew("status", "--json", CLEW_PORT="1")."""

    def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "clew", *arguments],
            env=environment | changes,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
