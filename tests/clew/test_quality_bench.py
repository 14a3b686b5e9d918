"""The bench of published figures: rows, their results, and the page made of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.quality import page, run
from benchmarks.quality.rows import ROWS, Row, chosen
from tests.clew.bench_files import parity_files


def test_rows_are_chosen_by_the_beginnings_of_their_names() -> None:
    assert chosen([]) == list(ROWS)
    assert {row.name for row in chosen(["gowalla.ials", "speed"])} == {"gowalla.ials", "speed.ml-100k"}
    assert len({row.name for row in ROWS}) == len(ROWS)
    with pytest.raises(SystemExit, match="no row begins with 'netflix'"):
        chosen(["netflix"])


def test_what_depends_on_chance_is_repeated() -> None:
    seeds = {row.name: row.seeds for row in ROWS}
    assert seeds["ml-100k.fused"] == (0, 1, 2, 3, 4)
    assert seeds["ml-100k.ease"] == seeds["kg-control.lastfm"] == (0,)


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Row:
    """A row on a small data set, whose result goes elsewhere."""
    files = parity_files(tmp_path)
    assert files.valid is not None
    assert files.test is not None
    options = {"train": files.train, "valid": files.valid, "test": files.test}
    for module in (run, page):
        monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(page, "DOCS", tmp_path / "docs")
    (tmp_path / "docs").mkdir()
    return replace(next(each for each in ROWS if each.name == "ml-100k.ease"), options=lambda: options)


def test_a_row_is_run_once_for_each_effort_and_told_on_the_page(row: Row, tmp_path: Path) -> None:
    effort = run.Effort(trials=1)
    assert not run.has_result(row, effort)
    result = run.run(row, effort)
    assert result is not None
    assert run.has_result(row, effort)
    assert not run.has_result(row, run.Effort(trials=2))
    assert result["figures"]["ndcg@10"] == result["runs"][0]["score"]["metrics"]["ndcg@10"]["mean"]
    assert result["runs"][0]["report"]["trials"] == 1
    page.write_page()
    told = (tmp_path / "docs" / "quality.md").read_text()
    assert f"| `ease` | {result['figures']['recall@10']:.4f} | {result['figures']['ndcg@10']:.4f} |" in told
    assert "--scorer ease --seed 0 --trials 1" in told
    assert {file.name for file in (tmp_path / "docs" / "images").iterdir()} == {
        "quality-time.svg"
    }  # one scorer makes no frontier


def test_a_row_without_its_data_is_left_out(row: Row) -> None:
    assert run.run(replace(row, options=lambda: None), run.Effort()) is None
    assert not run.has_result(row, run.Effort())
