"""`clew events` and `clew kafka`: the log in the terminal, what was put aside mended and taken again, on either log."""

import json
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from clew.settings import Settings
from clew.wiring import open_log
from domain.records import Event
from ingest.log_contract import DurableLog, Letter

Clew = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["sqlite", "kafka"])
def address(request: pytest.FixtureRequest, environment: dict[str, str]) -> str:
    """CLEW_EVENTS, set for the commands of the test."""
    if request.param == "kafka":
        environment["CLEW_EVENTS"] = f"kafka://{request.getfixturevalue('kafka')}/c{uuid.uuid4().hex}"
    return environment.get("CLEW_EVENTS", "sqlite")


@pytest.fixture
def opened(address: str, environment: dict[str, str]) -> Callable[[], DurableLog]:
    return lambda: open_log(Settings(home=Path(environment["CLEW_HOME"]), events=address))


LETTERS = [
    Letter(payload={"user_id": "ann", "item_id": "a", "kind": "gaze"}, code="unknown_kind", message="no kind 'gaze'"),
    Letter(payload={"user_id": "bob", "item_id": "a", "kind": "stare"}, code="unknown_kind", message="no kind 'stare'"),
]


def test_a_mended_letter_is_taken_and_leaves_and_one_that_is_not_stays(
    clew: Clew, opened: Callable[[], DurableLog], tmp_path: Path
) -> None:
    with opened() as log:
        log.bury(LETTERS)
    file = tmp_path / "letters.jsonl"
    assert clew("events", "dead", "--export", str(file)).returncode == 0
    first, second = file.read_text().splitlines()
    file.write_text(first.replace("gaze", "like") + "\n" + second + "\n")
    done = json.loads(clew("events", "replay", str(file), "--json").stdout)
    assert (done["taken"], [one["code"] for one in done["rejected"]]) == (1, ["unknown_kind"])
    with opened() as log:
        ((_, record),) = log.read(0)
        assert isinstance(record, Event)
        assert (record.user_id, record.kind) == ("ann", "like")
        assert [letter.payload for letter in log.dead()] == [LETTERS[1].payload]
    again = json.loads(clew("events", "replay", str(file), "--json").stdout)  # a crash in between would do this
    assert again["taken"] == 1
    shown = clew("events", "tail", "--json").stdout.splitlines()
    assert [json.loads(line)["user_id"] for line in shown] == ["ann"]
    stats = json.loads(clew("events", "stats", "--json").stdout)
    assert (stats["last_offset"], stats["dead"], stats["writer_lag"]) == (1, {"unknown_kind": 1, "dropped": 0}, None)


def test_a_line_that_is_no_json_is_named(clew: Clew, tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text('{"user_id": "ann", "item_id": "a", "kind": "view"}\n{half\n')
    done = clew("events", "replay", str(file))
    assert done.returncode == 1
    assert "line 2 of" in done.stderr


def test_kafka_that_does_not_answer_is_one_line(clew: Clew) -> None:
    done = clew("events", "stats", CLEW_EVENTS="kafka://127.0.0.1:1/clew")
    assert (done.returncode, done.stderr.split(":")[1].strip()) == (1, "log_unavailable")
    assert "Traceback" not in done.stderr
    assert clew("kafka", "status", "--json").returncode == 0
