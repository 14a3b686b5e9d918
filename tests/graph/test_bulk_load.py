"""The first load through the offline importer, on a server of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.errors import LoadInterrupted, ServerBusy
from domain.progress import Silent
from domain.snapshot import object_column
from domain.tables import Dataset
from graph import offline
from graph.load import bulk_load, confirm_bulk_load
from graph.server import Connection, ServerConfig, down, up
from graph.snapshot import take_snapshot
from graph.store import GraphStore
from tests.servers import ask, language, small_server
from tests.world import EVENTS, RELATIONS, world_dataset

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config(tmp_path: Path) -> Iterator[ServerConfig]:
    """A home without a server yet."""
    config = small_server(tmp_path / "own hôme")
    yield config
    down(config)


def opened(connection: Connection) -> GraphStore:
    return GraphStore(connection.uri, connection.username, connection.password)


def awkward_dataset() -> Dataset:
    """The world, with texts that a careless CSV breaks and with columns of every type."""
    dataset = world_dataset()
    names = dataset.items.properties["name"].copy()
    names[:4] = ['The "best", a; film', "two\nlines", " spaces ", "naïve \\ 日本"]
    columns = {
        **dataset.items.properties,
        "name": names,
        "tags": object_column([["a;b", 'c"d', "e,f"], ["single"], *[None] * 10]),
        "price": np.array([1.5, np.nan, 1e-7, 1e20, *[0.1] * 8]),
        "new": object_column([True, None, False, *[None] * 9]),
        "subtitle": object_column(["", None, "null", *["x"] * 9]),
    }
    return replace(dataset, items=replace(dataset.items, properties=columns))


def test_bulk_and_online_load_make_the_same_graph(
    config: ServerConfig, store: GraphStore, connection: Connection, tmp_path: Path
) -> None:
    dataset = awkward_dataset()
    relations = sum(len(pairs) for pairs in RELATIONS.values())
    counts = bulk_load(config, dataset, Silent())
    assert counts == {"users": 8, "items": 12, "entities": 12, "relations": relations, "events": len(EVENTS)}
    assert offline.import_incomplete(config)
    own = up(config)
    store.load(dataset)
    with opened(own) as bulk:
        confirm_bulk_load(config, bulk, dataset, counts, Silent())
        assert not offline.import_incomplete(config)
        assert bulk.is_loaded(dataset)
        assert bulk.declaration() == store.declaration()
        assert bulk.counts() == store.counts()
        one = take_snapshot(bulk, tmp_path / "bulk", Silent())
        assert one.version == take_snapshot(store, tmp_path / "online", Silent()).version
        with pytest.raises(ServerBusy):
            bulk_load(config, dataset, Silent())
        bulk.load(dataset)
        assert bulk.counts() == store.counts()
    assert language(own) == "CYPHER 25"
    for query in (
        "MATCH (n:Item|User|Entity) RETURN labels(n) AS labels, properties(n) AS p ORDER BY n.id",
        "MATCH (h)-[r]->(t) RETURN h.id, t.id, type(r), properties(r) AS p ORDER BY h.id, t.id, type(r), r.event_id",
        "MATCH (n) UNWIND keys(n) AS key RETURN DISTINCT labels(n) AS labels, key, valueType(n[key]) AS type "
        "ORDER BY labels, key, type",
    ):
        assert ask(own, query) == ask(connection, query)


def doubled_dataset() -> Dataset:
    """The world with every event twice, and every director."""
    dataset = world_dataset()
    events, relation = dataset.events, dataset.relations[0]
    names = ("event_ids", "user_ids", "item_ids", "kinds", "values", "at", "session_ids")
    return replace(
        dataset,
        events=replace(events, **{name: np.concatenate([getattr(events, name)] * 2) for name in names}),
        relations=(
            replace(relation, heads=np.tile(relation.heads, 2), tails=np.tile(relation.tails, 2)),
            *dataset.relations[1:],
        ),
    )


LOADER = """
import sys
from pathlib import Path
from domain.progress import Silent
from graph.load import bulk_load
from graph.server import ServerConfig
from tests.world import world_dataset
bulk_load(ServerConfig(Path(sys.argv[1])), world_dataset(), Silent())
"""


def test_an_import_killed_in_the_middle_is_done_anew_and_confirmed_when_it_is_whole(config: ServerConfig) -> None:
    kill_an_import(config)
    assert offline.import_incomplete(config)
    dataset = doubled_dataset()
    counts = bulk_load(config, dataset, Silent())
    assert counts["events"] == len(EVENTS)  # what comes twice is imported once
    assert counts["relations"] == sum(len(pairs) for pairs in RELATIONS.values())
    assert not (config.folder / "to-import").exists()
    with opened(up(config)) as store:
        with pytest.raises(LoadInterrupted, match="run the same command again"):
            confirm_bulk_load(config, store, dataset, {**counts, "events": 41}, Silent())
        assert offline.import_incomplete(config)
        confirm_bulk_load(config, store, dataset, counts, Silent())  # constraints would refuse equal event ids
        assert store.is_loaded(dataset)
    assert not offline.import_incomplete(config)


def kill_an_import(config: ServerConfig) -> None:
    """Begins an import in a process of its own, and kills it with everything that it started."""
    command = [sys.executable, "-c", LOADER, str(config.home)]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        while not (config.folder / "to-import" / "events.csv").exists():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(1.0)  # the importer is at work
        os.killpg(process.pid, signal.SIGKILL)
