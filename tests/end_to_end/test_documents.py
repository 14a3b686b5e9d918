"""What the README and the guides tell people to type is typed here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import neo4j
import pytest

from tests.servers import free_port

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```bash\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[str]:
    return BLOCK.findall((ROOT / page).read_text())


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md"])
def test_every_command_of_the_page_works_on_the_movies_demo(movies: Any, page: str) -> None:
    ran = 0
    for block in blocks(page):
        for command in commands(block):
            if command.startswith(("make ", "git ")):
                continue  # what made the demo and the tests run
            answer = shell(command.replace("http://127.0.0.1:8080", movies.url), movies.environment)
            if command.startswith("curl") and "/metrics" not in command and "| " not in command:
                assert "code" not in json.loads(answer), (command, answer)
            ran += 1
    assert ran >= 3


def test_the_answer_that_the_readme_shows_is_the_kind_of_answer_given(movies: Any) -> None:
    shown = re.search(r"^```json\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert shown
    shown_item = json.loads(shown.group(1))
    command = next(line for block in blocks("README.md") for line in commands(block) if "/recommend " in line)
    answer = json.loads(shell(command.replace("http://127.0.0.1:8080", movies.url), movies.environment))
    given = answer["items"][0]
    assert set(shown_item) <= set(given)
    assert set(shown_item["reasons"][0]) <= set(given["reasons"][0])
    assert set(shown_item["reasons"][0]["path"]) == set(given["reasons"][0]["path"])


def test_the_example_shop_is_loaded_trained_and_asked_as_the_guide_says(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}
    environment |= {"CLEW_HOME": str(tmp_path / "home"), "CLEW_NEO4J_HEAP": "512m"}
    environment |= {"CLEW_NEO4J_BOLT_PORT": str(free_port()), "CLEW_NEO4J_HTTP_PORT": str(free_port())}
    try:
        for command in (line for block in blocks("docs/load-your-own-data.md") for line in commands(block)):
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


def commands(block: str) -> list[str]:
    """The commands of a block: lines that end in a backslash go on, comments and empty lines are left out."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def shell(command: str, environment: dict[str, str]) -> str:
    path = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment, "PATH": path},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    return done.stdout
