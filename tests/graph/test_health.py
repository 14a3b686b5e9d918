"""The health of the hand-written world, counted on paper."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.dataset_snapshot import snapshot_of
from domain.errors import MissingExtra
from domain.snapshot import Snapshot
from graph import health
from graph.health import examine, knowledge_graph, plot_degrees, save_degrees
from tests.world import world_dataset


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return snapshot_of(world_dataset())


def test_the_report_counts_what_hangs_together(snapshot: Snapshot) -> None:
    found = examine(snapshot)
    assert (found.items, found.entities, found.relations) == (12, 12, 9 + 8 + 12 + 1)
    # Eleven films with three directors, three actors and three genres; blank, romance and two age bands are alone.
    assert found.components == (20, 1, 1, 1, 1)
    assert found.alone == ("blank",)
    assert found.hubs[0] == ("Director:tarantino", "Quentin Tarantino", 5)
    assert found.hubs[1] == ("Genre:crime", "crime", 5)


def test_degrees_are_those_of_the_graph(snapshot: Snapshot) -> None:
    found, graph = examine(snapshot), knowledge_graph(snapshot)
    assert graph.degree(("Item", "pulp")) == 4
    assert found.item_degrees.sum() == 29 + 2, "a sequel is a neighbour of both"
    assert found.entity_degrees.sum() == 29


def test_the_plot_counts_down_from_all_to_the_largest(snapshot: Snapshot) -> None:
    axes = plot_degrees(examine(snapshot)).axes[0]
    items, entities = axes.lines
    assert (items.get_ydata()[0], entities.get_ydata()[0]) == (11, 9), "those with a neighbour"
    assert entities.get_xdata()[-1] == 5
    assert np.all(np.diff(items.get_ydata()) < 0)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_plot_is_a_file(snapshot: Snapshot, tmp_path: Path, ending: str) -> None:
    save_degrees(examine(snapshot), tmp_path / f"plot.{ending}")
    assert (tmp_path / f"plot.{ending}").stat().st_size > 1000


def test_an_empty_graph_is_empty_parts(snapshot: Snapshot) -> None:
    none = snapshot.item_ids[:0]
    empty = examine(replace(snapshot, item_ids=none, entity_ids=none, entity_names=none, relations=()))
    assert (empty.items, empty.components, empty.hubs, empty.alone) == (0, (), (), ())
    assert not plot_degrees(empty).axes[0].lines


def test_a_missing_package_is_named_with_what_to_install(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(name=name)

    monkeypatch.setattr(health, "import_module", absent)
    with pytest.raises(MissingExtra, match=r"needs networkx: pip install 'clew\[analyst\]'"):
        examine(snapshot)
