"""Sources of a test's own, and the demo packages fetched once per run."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import DownloadFailed
from domain.progress import Silent
from domain.records import Rejected
from ingest.report import RejectedLog
from ingest.sources.demos import demo_source

SHOP = Path(__file__).parents[2] / "docs" / "examples" / "shop"


class Collected(RejectedLog):
    """A RejectedLog that keeps what it was given."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows: list[Rejected] = []

    def add(self, rejected: Rejected) -> None:
        before = self.total
        super().add(rejected)
        if self.total > before:
            self.rows.append(rejected)

    @property
    def lines(self) -> list[tuple[str, int | None, str]]:
        return [(row.source, row.line, row.field) for row in self.rows]


@pytest.fixture
def rejected(tmp_path: Path) -> Iterator[Collected]:
    with Collected(tmp_path / "home" / "rejected.jsonl") as log:
        yield log


@pytest.fixture(scope="session")
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the run, as a user's home has one."""
    return tmp_path_factory.getbasetemp() / "demo-cache"


@pytest.fixture(scope="session")
def movies_demo(demo_cache: Path) -> Path:
    return _fetched("movies", demo_cache)


@pytest.fixture(scope="session")
def retail_demo(demo_cache: Path) -> Path:
    return _fetched("retail", demo_cache)


def _fetched(name: str, cache: Path) -> Path:
    try:
        return demo_source(name, cache, Silent())[1]
    except DownloadFailed as error:
        pytest.skip(f"the {name} demo cannot be fetched: {error.message}")
