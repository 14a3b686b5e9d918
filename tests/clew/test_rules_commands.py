"""clew rules, as a merchandiser at a terminal uses it: no Neo4j, no model, a log that the servers share."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Clew = Callable[..., subprocess.CompletedProcess[str]]
PIN = {"consequence": {"effect": "pin", "item_id": "50", "position": 1}}


def test_a_rule_is_put_shown_put_back_and_deleted(clew: Clew, tmp_path: Path) -> None:
    (tmp_path / "pin.json").write_text(json.dumps(PIN))
    done = clew("rules", "put", "front", "pin.json")
    assert "warning: there is no item 50 yet; it is pinned when there is" in done.stdout
    shown = clew("rules", "show", "front", "--json").stdout
    (tmp_path / "shown.json").write_text(shown)
    again = json.loads(clew("rules", "put", "front", "shown.json", "--if-version", "1", "--json").stdout)
    assert (again["version"], again["rule"], again["updated_by"]) == (1, PIN, "command line")
    assert clew("rules", "delete", "front", "--if-version", "9").stderr.startswith("clew: version_mismatch: ")
    assert clew("rules", "delete", "front").returncode == 0
    versions = json.loads(clew("rules", "history", "front", "--json").stdout)["versions"]
    assert [version["rule"] for version in versions] == [None, PIN]


def test_a_file_that_is_no_rule_is_one_line_that_names_the_field(clew: Clew, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"consequence": {"effect": "sing"}}')
    done = clew("rules", "put", "x", "bad.json")
    assert done.returncode == 1
    assert done.stderr.startswith("clew: invalid_source: bad.json is no rule: consequence.effect: ")
