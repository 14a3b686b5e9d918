"""Guides for Neo4j Browser: served openly, in two forms, and every query in them runs."""

import re
from collections.abc import Callable
from html import unescape

import httpx
import pytest

from api.guides import as_asciidoc, as_html, guide_names, read_guide
from api.keys import new_key
from api.services import Services
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.api.conftest import Live
from tests.servers import GUIDE, ask

NAMES = guide_names()
QUERIES = [(name, place) for name in NAMES for place in range(len(read_guide(name).queries))]
BROWSER = "http://127.0.0.1:17474"


def test_the_guides_of_the_design_are_there() -> None:
    assert NAMES == ["catalogue_health", "cold_start", "start", "user_story", "why"]


@pytest.mark.parametrize(("name", "place"), QUERIES)
def test_every_query_runs_and_has_an_answer(
    graph: GraphStore, server: tuple[ServerConfig, Connection], name: str, place: int
) -> None:
    query = read_guide(name).queries[place]
    assert ask(server[1], query), query
    assert graph.query(query, {}, limit=10, timeout_s=30).rows, "and it only reads"


@pytest.mark.parametrize("name", NAMES)
def test_both_forms_hold_the_same_queries_and_slides(name: str) -> None:
    guide = read_guide(name)
    page, text = as_html(guide, "http://x/guides"), as_asciidoc(guide, "http://x/guides")
    assert tuple(unescape(query) for query in re.findall(r"<pre [^>]*>(.*?)</pre>", page, re.DOTALL)) == guide.queries
    assert tuple(re.findall(r"\[source,cypher\]\n----\n(.*?)\n----", text, re.DOTALL)) == guide.queries
    assert page.count("<slide ") == len(guide.slides) == len(re.findall(r"^== ", text, re.MULTILINE))
    assert 'class="guide"' in page
    assert "`" not in re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL), "all code is rendered"


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_guides_that_are_there(shared: Live, name: str) -> None:
    page = shared.client.get(f"/guides/{name}.html").text
    links = re.findall(r'play-topic="([^"]+)"', page)
    assert links
    for link in links:
        assert link.startswith(f"{shared.url}/guides/")
        assert httpx.get(link).status_code == 200


def test_the_browser_is_answered_before_and_when_it_fetches(shared: Live) -> None:
    headers = {
        "Origin": BROWSER,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "cache-control,pragma,sentry-trace",
    }
    before = shared.client.options("/guides/start.html", headers=headers)
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == "*"
    assert "GET" in before.headers["access-control-allow-methods"]
    assert before.headers["access-control-allow-headers"] == "cache-control,pragma,sentry-trace"
    answer = shared.client.get("/guides/start.html", headers={"Origin": BROWSER})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_guides_are_open_where_keys_are_needed(offline_services: Services, start: Callable[..., Live]) -> None:
    live = start(offline_services, keys=(new_key("any", "read")[1],))
    for file in ("start.html", "start.adoc", "style.grass"):
        answer = live.client.get(f"/guides/{file}", headers={"Origin": "https://browser.example"})
        assert answer.status_code == 200, file


@pytest.mark.parametrize("file", ["absent.html", "start.md", "start", "__init__.py", "..%2Fapp.py", "style.grass.html"])
def test_nothing_else_is_served(shared: Live, file: str) -> None:
    answer = shared.client.get(f"/guides/{file}")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_address")


def test_the_style_draws_each_kind_of_node(shared: Live) -> None:
    style = shared.client.get("/guides/style.grass").text
    for label in ("User", "Item", "Entity", "Director", "Actor", "Genre", "AgeBand"):
        assert f"node.{label} {{" in style
    assert style.count("{\n") == style.count("\n}")


def test_neo4j_tells_its_browser_to_open_the_start_guide(server: tuple[ServerConfig, Connection]) -> None:
    told = {row["name"]: row["value"] for row in ask(server[1], "CALL dbms.clientConfig() YIELD name, value")}
    assert told["browser.post_connect_cmd"] == f"play {GUIDE}"
    assert "127.0.0.1" in str(told["browser.remote_content_hostname_whitelist"]).split(",")
