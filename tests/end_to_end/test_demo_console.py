"""The console that the demo starts beside the API."""

import urllib.request
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(900)


def test_the_demo_starts_the_console_and_prints_its_address(movies: Any) -> None:
    url = f"http://127.0.0.1:{movies.environment['CLEW_CONSOLE_PORT']}/"
    with urllib.request.urlopen(url, timeout=30) as page:
        assert page.status == 200
    assert f"console        {url}?user=" in movies.output.read_text()
