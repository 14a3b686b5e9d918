"""What every test may ask for: one real Neo4j, one real Kafka and one real Chromium for the whole run.

CLEW_TEST_REQUIRE=all turns a skipped test into a failed one, but for those that need the data sets of ../shared.
"""

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.nodeid import coerce_node_id

from broker import server as kafka_server
from broker.server import BrokerConfig
from domain.errors import DownloadFailed, JavaMissing
from graph import server as neo4j_server
from graph.server import Connection, ServerConfig
from tests.ports import free_ports
from tests.servers import quick_java, small_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# The longest first, so that no worker begins one of them when the other has nothing left to do.
LONGEST = (
    "tests/end_to_end/test_movies.py",
    "tests/end_to_end/test_documents.py",
    "tests/graph/test_server.py",
    "tests/chaos/test_crashes_of_brokers.py",
    "tests/chaos/test_crashes.py",
    "tests/console/test_console.py",
    "tests/console/test_rule_editor.py",
    "tests/clew/test_worse_model.py",
    "tests/clew/test_command_line.py",
    "tests/graph/test_bulk_load.py",
    "tests/graph/test_offline.py",
    "tests/clew/test_pipeline.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order in which workers take them; a worker runs a whole file, whose tests share its fixtures.

    Tests of one name, as schemathesis makes them, are numbered: workers would run one of them only.
    """
    count = Counter[str]()
    for item in items:
        count[item.nodeid] += 1
        if count[item.nodeid] > 1:
            item._id = coerce_node_id(f"{item.nodeid}[{count[item.nodeid]}]")  # pytest has no public way
    place = {path: number for number, path in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CLEW_TEST_REQUIRE") == "all" and "../shared" not in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped, where CLEW_TEST_REQUIRE=all wants every test: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def _quick_java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For every server of the run, whoever starts it."""
    with pytest.MonkeyPatch.context() as patch:
        with contextlib.suppress(JavaMissing):  # those that need one will say so
            patch.setenv("JAVA_HOME", str(quick_java(tmp_path_factory.mktemp("java"))))
        yield


@pytest.fixture(scope="session")
def neo4j_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with what real ones have: a space, and a letter outside ASCII."""
    return tmp_path_factory.mktemp("clew hôme")


@pytest.fixture(scope="session")
def server(neo4j_home: Path) -> Iterator[tuple[ServerConfig, Connection]]:
    """A running Neo4j. Tests leave it running and its settings as they are; each removes the data it wrote."""
    config = small_server(neo4j_home)
    try:
        yield config, neo4j_server.up(config)
    finally:
        neo4j_server.down(config)


@pytest.fixture(scope="session")
def kafka_config(tmp_path_factory: pytest.TempPathFactory) -> BrokerConfig:
    return BrokerConfig(home=tmp_path_factory.mktemp("kafka hôme"), port=free_ports(2)[0], start_timeout_s=120)


@pytest.fixture(scope="session")
def kafka(kafka_config: BrokerConfig) -> Iterator[str]:
    """The address of a running Kafka, host:port. Each test uses topics of its own."""
    try:
        yield kafka_server.up(kafka_config).address
    except DownloadFailed as error:
        pytest.skip(f"no Kafka: {error.message}")
    finally:
        kafka_server.down(kafka_config)


@pytest.fixture(scope="session")
def chromium() -> "Iterator[Browser]":
    """A headless Chromium. One for the run: Playwright can be started once in a thread."""
    binary = shutil.which("chromium")
    if binary is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        yield browser
        browser.close()
