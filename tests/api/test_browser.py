"""The guides in the Neo4j Browser that comes with the server: a real Chromium, as an analyst meets them."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from api.guides import read_guide
from api.services import Services
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.api.conftest import Live, running
from tests.servers import API_PORT, GUIDE

SLOW_MS = 60_000
DROP = """([name, text]) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([text], name));
    for (const kind of ["dragenter", "dragover", "drop"])
        document.querySelector(".filedrop").dispatchEvent(new DragEvent(kind, {dataTransfer: dropped, bubbles: true}));
}"""


@pytest.fixture
def live(services: Services, graph: GraphStore) -> Iterator[Live]:
    """Where the Browser of the test's Neo4j was told that the start guide is."""
    with running(services, API_PORT) as made:
        yield made


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport={"width": 1400, "height": 1000})
    opened.set_default_timeout(SLOW_MS)
    yield opened
    opened.close()


def connect(page: Page, config: ServerConfig, connection: Connection) -> None:
    page.goto(f"http://127.0.0.1:{config.http_port}/browser/")
    page.get_by_test_id("boltaddress").fill(f"127.0.0.1:{config.bolt_port}")
    page.get_by_test_id("username").fill(connection.username)
    page.get_by_test_id("password").fill(connection.password)
    page.get_by_test_id("connect").click()


def frame(page: Page, command: str) -> Locator:
    """The newest answer to a command."""
    asked = page.get_by_test_id("frameCommand").filter(has_text=command)
    return page.get_by_test_id("frame").filter(has=asked).first


def enter(page: Page, command: str) -> None:
    page.get_by_test_id("activeEditor").click()
    page.keyboard.type(command)
    page.get_by_test_id("editor-Run").click()


def run(page: Page, guide: Locator, place: int) -> None:
    """Clicks one of the queries that a guide shows, which puts it into the editor, and runs it."""
    guide.locator("pre.runnable").nth(place).click()
    page.get_by_test_id("editor-Run").click()


def colours(answer: Locator, name: str) -> set[str]:
    """The fill of the nodes of a drawn graph whose caption holds a word."""
    nodes = answer.locator("g.node").filter(has_text=name)
    nodes.first.wait_for()
    return {str(node.locator("circle.b-outline").get_attribute("fill")) for node in nodes.all()}


def test_an_analyst_connects_reads_the_guides_and_runs_their_queries(
    page: Page, live: Live, server: tuple[ServerConfig, Connection]
) -> None:
    asked: list[tuple[str, str]] = []
    network: Any = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.requestWillBeSent", lambda sent: asked.append((sent["request"]["method"], sent["request"]["url"]))
    )

    connect(page, *server)
    start = frame(page, f":play {GUIDE}")
    start.get_by_text("The graph behind the recommendations").wait_for()  # the Browser opened it by itself
    assert ("OPTIONS", GUIDE) in asked, "the Browser asks before it fetches"

    run(page, start, 1)
    drawn = frame(page, "MATCH path = (user)-[:INTERACTED]->(:Item)--(:Entity)")
    drawn.locator("g.node").first.wait_for()
    page.evaluate(DROP, ["style.grass", live.client.get("/guides/style.grass").text])
    page.locator('circle.b-outline[fill="#4C8EDA"]').first.wait_for()
    seen = [colours(drawn, name) for name in ("eve", "Kill", "Ridley", "action", "Bruce")]
    assert [len(found) for found in seen] == [1] * 5
    assert len(set().union(*seen)) == 5, "a user, an item, and each type of entity have a colour of their own"

    run(page, start, 0)
    frame(page, "count(node) AS nodes").get_by_text("Director").first.wait_for()

    for _ in range(2):
        start.get_by_test_id("nextSlide").click()
    start.get_by_text("One user's story").click()
    start.get_by_text(read_guide("user_story").slides[0].title).wait_for()  # in its place

    enter(page, f":play {live.url}/guides/why.html")
    why = frame(page, f":play {live.url}/guides/why.html")
    why.get_by_text(read_guide("why").slides[0].title).wait_for()
