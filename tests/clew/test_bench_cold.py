"""The benches of what is missing: items without events, users without a past, a graph whose facts are wrong."""

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from clew.bench import Choice, Files, read_files
from clew.bench_cold import cold_items, cold_users, kg_control
from clew.cli import app
from domain.errors import InvalidRequest, NothingToTrain
from domain.progress import Silent
from domain.snapshot import Snapshot
from recommend.evaluate.hold import draw, first_events, with_new_items, without_items
from tests.clew.bench_files import parity_files

CHOICE = Choice("content", k=2, trials=1)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return parity_files(tmp_path)


@pytest.fixture
def train(files: Files) -> Snapshot:
    return read_files(files, "test").train


def test_hidden_items_are_found_by_their_attributes(files: Files) -> None:
    told = cold_items(files, replace(CHOICE, k=3), Silent())
    assert told.held_items == 5  # of 24
    assert told.cold["ndcg@3"].mean > 0.9  # those of the user's own colour come first, taken or not
    ours, full = told.warm["ndcg@3"].mean, told.warm_of_full["ndcg@3"].mean
    assert told.warm_loss == pytest.approx(1 - ours / full, abs=1e-12)
    compared = told.warm_difference
    assert (compared.first, compared.second) == (ours, full)
    assert compared.low <= compared.difference <= compared.high
    assert told.warm_without_graph is None  # content cannot do without a graph
    assert told.graph_difference is None


def test_the_cost_of_attributes_is_measured_on_the_same_events(files: Files) -> None:
    """A scorer that uses none loses nothing by them, whatever the hidden events were worth."""
    plain = cold_items(files, replace(CHOICE, scorer="ease", k=3), Silent())
    assert plain.warm_without_graph == plain.warm
    assert plain.graph_difference is not None
    assert plain.graph_difference.difference == 0
    assert plain.warm_difference.difference != 0
    told = cold_items(files, replace(CHOICE, scorer="fused", k=3), Silent())
    compared = told.graph_difference
    assert compared is not None
    assert told.warm_without_graph is not None
    assert compared.first == told.warm["ndcg@3"].mean
    assert compared.second == told.warm_without_graph["ndcg@3"].mean != compared.first


def test_a_shuffled_graph_and_none_find_fewer_hidden_items(files: Files) -> None:
    told = kg_control(files, replace(CHOICE, scorer="graph-prior"), Silent())
    assert list(told.warm) == list(told.cold) == ["true", "shuffled", "none"]
    recall = {graph: figures["recall@2"].mean for graph, figures in told.cold.items()}
    assert recall["true"] > recall["shuffled"]
    assert told.cold_recall_lost == pytest.approx(1 - recall["shuffled"] / recall["true"])


def test_a_hidden_user_is_served_better_the_more_is_known(files: Files) -> None:
    told = cold_users(files, Choice("fused", k=3, trials=1), Silent())
    assert list(told.by_events) == ["0", "1", "2", "3", "5", "10", "all", "tastes"]
    assert told.users == 6  # of 30
    ndcg = {known: figures["ndcg@3"].mean for known, figures in told.by_events.items()}
    assert ndcg["all"] > ndcg["0"]
    assert told.kept["3"] == pytest.approx(ndcg["3"] / ndcg["all"])
    assert told.by_events["10"] == told.by_events["all"]  # nobody has more than 8


def test_progress_says_which_of_the_models_is_being_trained(files: Files) -> None:
    names: list[str] = []

    class Listed(Silent):
        def step(self, name: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
            names.append(name)
            return super().step(name, total)

    cold_items(files, replace(CHOICE, scorer="ease", k=3), Listed())
    pieces = list(dict.fromkeys(name.split(": ")[0] for name in names))
    assert pieces == ["1 of 3, items hidden", "2 of 3, all events", "3 of 3, items hidden, no attributes"]
    names.clear()
    kg_control(files, replace(CHOICE, scorer="ease"), Listed())
    for graph in ("graph true", "graph shuffled", "graph none"):
        own = [name for name in names if name.startswith(f"{graph}: ")]
        assert {": items hidden: " in name for name in own} == {False, True}


def test_what_cannot_be_measured_is_said(files: Files) -> None:
    with pytest.raises(InvalidRequest, match="--test"):
        cold_items(replace(files, test=None), CHOICE, Silent())
    with pytest.raises(InvalidRequest, match="user-cosine cannot score users"):
        cold_users(files, Choice("user-cosine", k=2, trials=1), Silent())
    with pytest.raises(NothingToTrain, match="--kg"):
        cold_items(replace(files, kg=None), Choice("ease", trials=1), Silent())


def test_first_events_are_the_oldest(train: Snapshot) -> None:
    users = np.zeros(len(train.user_ids), np.bool_)
    users[train.user_row["user 3"]] = True
    known = first_events(train, users, 2, 0).interactions
    whole = first_events(train, users, None, 0).interactions
    assert known.item_rows.tolist() == whole.item_rows[:2].tolist()
    assert set(known.user_rows.tolist()) == {train.user_row["user 3"]}
    assert len(first_events(train, users, 0, 0).interactions) == 0


def test_hidden_items_have_no_event_and_count_as_new(train: Snapshot) -> None:
    held = draw(np.arange(24, dtype=np.int64), 0.25, len(train.item_ids), 0)
    assert held.sum() == 6
    left = without_items(train, held)
    assert not held[left.interactions.item_rows].any()
    newest = left.interactions.at.max()
    assert (left.item_created_at[held] > newest).all()
    assert (left.item_created_at[~held] < 0).all()


def test_items_without_events_count_as_new_only_where_validation_asks_for_them(files: Files, train: Snapshot) -> None:
    data = read_files(files, "test")
    unheard = train.item_row["unheard of"]
    assert with_new_items(train, data.valid).item_created_at[unheard] < 0
    asked = data.valid.copy()
    asked.indices[:] = unheard
    assert with_new_items(train, asked).item_created_at[unheard] > train.interactions.at.max()


def test_the_commands_say_what_was_lost(files: Files) -> None:
    runner = CliRunner()
    common = ["--train", str(files.train), "--valid", str(files.valid), "--test", str(files.test)]
    common += ["--kg", str(files.kg), "--trials", "1"]
    shown = runner.invoke(app, ["bench", "cold-items", *common, "--scorer", "content"])
    assert shown.exit_code == 0
    change = r"warm ndcg against a model that saw all events: [+-][\d.]+% \([+-][\d.]+, 95 % interval [+-]"
    assert re.search(change, " ".join(shown.stdout.split()))
    assert "without attributes" not in shown.stdout
    shown = runner.invoke(app, ["bench", "kg-control", *common, "--scorer", "content"])
    assert "the shuffled graph loses" in shown.stdout
    assert "none" not in shown.stdout  # content cannot do without a graph
    shown = runner.invoke(app, ["bench", "cold-users", *common, "--scorer", "ease", "--json"])
    assert json.loads(shown.stdout)["kept"]["all"] == 1
