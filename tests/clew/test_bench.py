"""`clew bench` from files to lists to figures."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clew.bench import Choice, Files, rank
from clew.cli import app
from domain.errors import InvalidRequest, InvalidSource
from domain.progress import Silent
from tests.clew.bench_files import parity_files, write


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return parity_files(tmp_path)


def read(path: Path) -> dict[str, list[tuple[int, str, float]]]:
    lists: dict[str, list[tuple[int, str, float]]] = {}
    head, *lines = path.read_text().splitlines()
    assert head == "user_id\trank\titem_id\tscore"
    for line in lines:
        user, place, item, score = line.split("\t")
        lists.setdefault(user, []).append((int(place), item, float(score)))
    return lists


def pairs(path: Path) -> set[tuple[str, str]]:
    return {tuple(line.split("\t")[:2]) for line in path.read_text().splitlines()[1:]}


@pytest.mark.parametrize("scorer", ["fused", "ease", "content"])
def test_lists_hold_new_items_in_falling_order_for_everyone_in_the_test_file(
    files: Files, tmp_path: Path, scorer: str
) -> None:
    report = rank(files, Choice(scorer, k=5, trials=1), tmp_path / "out.tsv", Silent())
    lists = read(tmp_path / "out.tsv")
    assert len(lists) == 31
    assert report.lists == 31
    assert report.trials == 1
    had = pairs(files.train) | pairs(files.valid)
    for user, ranked in lists.items():
        assert [place for place, _, _ in ranked] == [1, 2, 3, 4, 5]
        scores = [score for _, _, score in ranked]
        assert scores == sorted(scores, reverse=True)
        assert not {(user, item) for _, item, _ in ranked} & had
    evens = [int(item) % 2 == 0 for _, item, _ in lists["user 0"][:3] if item != "unheard of"]
    assert all(evens)


def test_phase_valid_ranks_for_the_users_of_the_validation_file(files: Files, tmp_path: Path) -> None:
    rank(files, Choice("ease", phase="valid", k=20), tmp_path / "out.tsv", Silent())
    lists = read(tmp_path / "out.tsv")
    assert "a stranger" not in lists
    shown = {(user, item) for user, ranked in lists.items() for _, item, _ in ranked}
    assert pairs(files.valid) <= shown
    assert not pairs(files.train) & shown


def test_equal_seeds_and_trials_give_equal_files(files: Files, tmp_path: Path) -> None:
    for name in ("one", "two"):
        rank(files, Choice("fused", trials=2, seed=4), tmp_path / name, Silent())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_the_test_file_says_beyond_its_ids_changes_nothing(files: Files, tmp_path: Path) -> None:
    rank(files, Choice("ease"), tmp_path / "one", Silent())
    assert files.test is not None
    rows = [line.split("\t") for line in files.test.read_text().splitlines()[1:]]
    turned = [(row[0], other[1], row[2]) for row, other in zip(rows, rows[1:] + rows[:1], strict=True)]
    write(files.test, "user_id\titem_id\ttimestamp", turned)
    rank(files, Choice("ease"), tmp_path / "two", Silent())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_without_validation_test_times_or_graph_there_are_lists_for_all(files: Files, tmp_path: Path) -> None:
    lines: dict[str, list[str]] = {}
    for user, item in sorted(pairs(files.train)):
        lines.setdefault(user.replace(" ", "-"), []).append(item)
    train = tmp_path / "train.txt"
    train.write_text("\n".join(f"{user} {' '.join(items)}" for user, items in lines.items()))
    for scorer in ("fused", "item-cosine"):
        report = rank(Files(train), Choice(scorer, k=3, trials=2), tmp_path / "out.tsv", Silent())
        assert report.validation_part == "cut from the training file"
        assert len(read(tmp_path / "out.tsv")) == 30


def test_an_unknown_scorer_and_a_folder_that_is_none(files: Files, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no scorer 'deep'; there are: fused, popular, item-cosine"):
        rank(files, Choice("deep"), tmp_path / "out.tsv", Silent())
    with pytest.raises(InvalidSource, match="choose another --out"):
        rank(files, Choice("popular", trials=1), tmp_path / "none" / "out.tsv", Silent())
    with pytest.raises(InvalidRequest, match="give it with --valid"):
        rank(Files(files.train), Choice("popular", phase="valid"), tmp_path / "out.tsv", Silent())
    assert not list(tmp_path.glob("*.part"))


def test_the_commands_rank_score_and_compare(files: Files, tmp_path: Path) -> None:
    runner = CliRunner()
    common = ["--train", str(files.train), "--valid", str(files.valid)]
    ours, theirs = str(tmp_path / "ours.tsv"), str(tmp_path / "theirs.tsv")
    for scorer, out in (("ease", ours), ("popular", theirs)):
        arguments = ["bench", "rank", *common, "--test", str(files.test), "--scorer", scorer, "--out", out, "--json"]
        report = json.loads(runner.invoke(app, arguments, catch_exceptions=False).stdout)
        assert report["scorer"] == scorer
        assert report["validation"]["ndcg@10"] > 0
    told = runner.invoke(app, ["bench", "score", ours, *common, "--test", str(files.test), "--k", "3"])
    assert told.exit_code == 0
    assert "ndcg@3" in told.stdout
    assert "1-8 events" in told.stdout
    shown = runner.invoke(app, ["bench", "compare", ours, theirs, "--test", str(files.test), "--json"])
    assert json.loads(shown.stdout)["metrics"]["recall@10"]["difference"] > 0
