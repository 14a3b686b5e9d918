"""Rejected rows are written line by line, whatever happens to the load."""

import json
from pathlib import Path

import pytest

from domain.records import Rejected
from ingest.report import RejectedLog, scrub_rejected

ROW = Rejected(source="a.csv", line=3, field="id", reason="the id is missing")


def test_each_rejected_row_is_one_json_line(tmp_path: Path) -> None:
    with RejectedLog(tmp_path / "rejected.jsonl") as log:
        log.add(ROW)
        log.add(Rejected(source="b.csv", line=None, field="", reason="ü"))
    lines = (tmp_path / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"source": "a.csv", "line": 3, "field": "id", "reason": "the id is missing"},
        {"source": "b.csv", "line": None, "field": "", "reason": "ü"},
    ]
    assert (log.total, dict(log.counts)) == (2, {"a.csv": 1, "b.csv": 1})


def test_a_row_counts_once_with_its_first_fault(tmp_path: Path) -> None:
    with RejectedLog(tmp_path / "rejected.jsonl") as log:
        log.add(ROW)
        log.add(Rejected(source="a.csv", line=3, field="price", reason="'x' is no finite number"))
    assert log.total == 1
    assert "the id is missing" in log.path.read_text()


def test_rows_of_a_failed_load_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "rejected.jsonl"

    def fail() -> None:
        with RejectedLog(path) as log:
            log.add(ROW)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_text().count("\n") == 1
    assert not list(tmp_path.glob("*.part"))


def test_a_run_without_bad_rows_leaves_no_old_ones(tmp_path: Path) -> None:
    path = tmp_path / "rejected.jsonl"
    with RejectedLog(path) as log:
        log.add(ROW)
    with RejectedLog(path):
        assert path.read_text() != ""  # an earlier run's rows stay while the next one works
    assert path.read_text() == ""


def test_rows_that_name_an_erased_person_go_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "rejected.jsonl"
    with RejectedLog(path) as log:
        for line, reason in enumerate(("no user 'a b'", "no user 'a'", "user 7 is no user", "no user 77"), start=1):
            log.add(Rejected(source="x", line=line, field="user_id", reason=reason))
    erased = {"a b", "7"}
    assert scrub_rejected(path, erased.intersection) == 2
    assert scrub_rejected(path, erased.intersection) == 0
    assert [json.loads(row)["line"] for row in path.read_text().splitlines()] == [2, 4]
    assert scrub_rejected(tmp_path / "none", erased.intersection) == 0
