"""The notebook runs from its first cell to its last, as an analyst would run it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.graph_state import remove_nodes
from tests.world import world_dataset

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore.ipynb"


@pytest.fixture
def graph(server: tuple[ServerConfig, Connection]) -> Iterator[Connection]:
    _, connection = server
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.load(world_dataset())
    yield connection
    remove_nodes(connection)


def test_it_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if cell["cell_type"] == "code")


def test_every_cell_runs(graph: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    for name, value in {
        "CLEW_HOME": str(tmp_path),
        "NEO4J_URI": graph.uri,
        "NEO4J_USERNAME": graph.username,
        "NEO4J_PASSWORD": graph.password,
        "PYTHONPATH": str(NOTEBOOK.parents[1]),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "jupyter"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    ran = NotebookClient(nbformat.read(NOTEBOOK, as_version=4), timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2, "the surroundings, and the degrees"
    shown = [output.data.get("text/plain", "") for output in outputs if output.output_type == "execute_result"]
    assert "'12 items, 1 without relations; 5 parts'" in shown
