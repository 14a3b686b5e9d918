"""What the guide to one's own data tells people to type is typed here; the README and the tutorial: test_movies.py."""

import json
import os
from pathlib import Path

import neo4j
import pytest

from tests.end_to_end.pages import commands_of, shell
from tests.ports import free_port

pytestmark = pytest.mark.timeout(900)


def test_the_example_shop_is_loaded_trained_and_asked_as_the_guide_says(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}
    environment |= {"CLEW_HOME": str(tmp_path / "home"), "CLEW_NEO4J_HEAP": "512m"}
    environment |= {"CLEW_NEO4J_BOLT_PORT": str(free_port()), "CLEW_NEO4J_HTTP_PORT": str(free_port())}
    try:
        for command in commands_of("docs/load-your-own-data.md"):
            shell(command, environment)
        answer = json.loads(shell("clew recommend ben --json", environment))
        assert answer["items"]
        before = graph_counts(environment)
        shell("clew ingest table docs/examples/shop/mapping.toml", environment)
        assert graph_counts(environment) == before
        assert_another_home_can_use_this_server(environment, tmp_path / "other")
    finally:
        shell("clew down", environment)


def assert_another_home_can_use_this_server(environment: dict[str, str], home: Path) -> None:
    """NEO4J_URI switches the embedded server off: another home loads, trains and asks by address and password."""
    status = json.loads(shell("clew status --json", environment))["neo4j"]
    outside = {
        **environment,
        "CLEW_HOME": str(home),
        "NEO4J_URI": status["uri"],
        "NEO4J_PASSWORD": Path(status["password_file"]).read_text().strip(),
    }
    before = graph_counts(environment)
    shell("clew ingest table docs/examples/shop/mapping.toml", outside)
    assert graph_counts(environment) == before
    shell("clew train", outside)
    assert json.loads(shell("clew recommend ben --json", outside))["strategy"] == "model"
    assert not (home / "neo4j").exists()


def graph_counts(environment: dict[str, str]) -> list[object]:
    """How many nodes and relationships the graph holds, without Clew's own notes."""
    status = json.loads(shell("clew status --json", environment))["neo4j"]
    auth = (status["username"], Path(status["password_file"]).read_text().strip())
    count = "MATCH (n) WHERE NOT n:Clew WITH count(n) AS nodes MATCH ()-[r]->() RETURN nodes, count(r) AS relationships"
    with neo4j.GraphDatabase.driver(status["uri"], auth=auth) as driver:
        return driver.execute_query(count, database_="neo4j").records[0].values()
