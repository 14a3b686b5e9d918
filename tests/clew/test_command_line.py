"""Exit codes, errors in one line, and what scripts read."""

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.log import Log
from ingest.log_contract import Letter

Clew = Callable[..., subprocess.CompletedProcess[str]]


def test_status_of_an_empty_home_says_that_nothing_runs(clew: Clew, environment: dict[str, str]) -> None:
    done = clew("status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    home = environment["CLEW_HOME"]
    assert json.loads(done.stdout) == {
        "neo4j": {
            "uri": f"bolt://127.0.0.1:{environment['CLEW_NEO4J_BOLT_PORT']}",
            "browser": f"http://127.0.0.1:{environment['CLEW_NEO4J_HTTP_PORT']}/browser/",
            "username": "neo4j",
            "password_file": f"{home}/neo4j/password",
            "version": None,
            "running": False,
        },
        "api": {"url": f"http://127.0.0.1:{environment['CLEW_PORT']}", "running": False},
        "model": {"version": None, "held_back": None},
        "home": home,
    }
    assert not Path(home).exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train",), "graph_unavailable"),
        (("ingest", "nonsense"), "invalid_request"),
        (("ingest", "recbole"), "invalid_request"),
        (("ingest", "table", "absent.toml"), "invalid_mapping"),
        (("demo", "nonsense"), "invalid_request"),
        (("explain", "ann", "pulp"), "unknown_user"),
        (("similar", "pulp"), "unknown_item"),
        (("profile", ".."), "invalid_id"),
        (("recommend", ""), "invalid_id"),
        (("keys", "new", "a b"), "invalid_settings"),
        (("keys", "new", "ci", "--scope", "root"), "invalid_settings"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(clew: Clew, arguments: tuple[str, ...], code: str) -> None:
    done = clew(*arguments)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"clew: {code}: ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("recommend",), ("recommend", "ann", "-n", "0"), ("status", "--x")]
)
def test_wrong_usage_is_exit_code_2(clew: Clew, arguments: tuple[str, ...]) -> None:
    assert clew(*arguments).returncode == 2


def test_an_unknown_setting_stops_every_command(clew: Clew) -> None:
    done = clew("status", CLEW_PROT="1")
    assert done.returncode == 1
    assert (
        done.stderr == "clew: invalid_settings: unknown setting CLEW_PROT in the environment; did you mean CLEW_PORT?\n"
    )


def test_serving_to_others_without_keys_is_refused(clew: Clew) -> None:
    done = clew("serve", CLEW_HOST="0.0.0.0")
    assert done.returncode == 1
    assert "CLEW_API_KEYS is empty" in done.stderr


def test_a_taken_port_is_named(clew: Clew, environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(environment["CLEW_PORT"])))
        taken.listen()
        done = clew("serve")
    assert done.returncode == 1
    assert f"port_taken: port {environment['CLEW_PORT']}" in done.stderr
    assert "CLEW_PORT" in done.stderr


def test_a_new_key_is_shown_once_with_what_the_settings_need(clew: Clew) -> None:
    done = clew("keys", "new", "ci", "--scope", "write")
    key, setting = (line.split()[-1] for line in done.stdout.splitlines())
    assert key.startswith("clew_")
    assert setting.startswith("CLEW_API_KEYS=ci:write:")
    assert clew("status", CLEW_API_KEYS=setting.partition("=")[2]).returncode == 0


def test_rejected_events_are_listed_newest_first(clew: Clew, environment: dict[str, str]) -> None:
    file = Path(environment["CLEW_HOME"]) / "log" / "clew.db"
    file.parent.mkdir(parents=True)
    with Log(file) as log:
        log.bury(
            [
                Letter(payload={"user_id": "ann"}, code="unknown_kind", message="no kind 'gaze' is declared"),
                Letter(payload=[1], code="invalid_event", message="event: not an object"),
            ]
        )
    letters = json.loads(clew("events", "dead", "--json").stdout)
    assert [(letter["code"], letter["payload"]) for letter in letters] == [
        ("invalid_event", [1]),
        ("unknown_kind", {"user_id": "ann"}),
    ]
    assert "unknown_kind" in clew("events", "dead").stdout


def test_help_names_every_command(clew: Clew) -> None:
    help_text = clew("--help").stdout
    commands = "up down status doctor ingest train serve writer recommend explain similar profile events keys demo"
    for command in commands.split():
        assert command in help_text


def test_stopping_what_does_not_run_is_fine(clew: Clew) -> None:
    done = clew("down")
    assert (done.returncode, done.stdout) == (0, "no Neo4j was running\n")
