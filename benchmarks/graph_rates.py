"""How fast data goes into Neo4j and comes out, on the retail demo, beside the way one would write it first.

    python benchmarks/graph_rates.py --cache .clew/cache

"drained": a writer with its turn takes events out of a log in SQLite and writes them, as `clew writer` does, offset,
fence and digest included. "writer": the same transactions without log and turn. The peers run on the same server, in
turns with ours: for writing, UNWIND over a list of maps with MERGE on the constrained event_id; for reading, one record
per relationship. All must leave or give the same events.
Writes benchmarks/results/graph_rates.json.
"""

import argparse
import json
import os
import platform
import socket
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import neo4j

from clew.writer import drain_once
from domain.progress import Silent
from domain.records import Event
from domain.tables import Dataset, EventTable
from graph import server
from graph.home import Connection, ServerConfig
from graph.load import bulk_load, confirm_bulk_load
from graph.snapshot import take_snapshot
from graph.store import GraphStore
from ingest.log import Log
from ingest.report import RejectedLog
from ingest.sources import read_source

ROOT = Path(__file__).parents[1]
SOME = 200_000  # events of the online runs
BATCH = 20_000
REQUEST = 1_000  # events that are appended to the log at once
MERGE = """
UNWIND $rows AS row
MATCH (user:User {id: row.user_id})
MATCH (item:Item {id: row.item_id})
MERGE (user)-[event:INTERACTED {event_id: row.event_id}]->(item)
SET event.kind = row.kind, event.value = row.value, event.at = datetime({epochMillis: row.at})
"""
PLAIN_READ = """
MATCH (user:User)-[event:INTERACTED]->(item:Item)
RETURN user.id, item.id, event.kind, event.value, event.at.epochMillis LIMIT $limit
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--cache", type=Path, default=Path(".clew/cache"), help="where demos are fetched to")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rates = measure(Path(folder), given.cache)
    for name, rate in rates.items():
        print(f"{name:42} {rate:12,.0f} /s")
    print(
        f"drained, ratio to MERGE                    {rates['drained, events'] / rates['peer MERGE, events']:12.1f} x"
    )
    print(
        f"reading, ratio to one record per relation  {rates['snapshot again, relations'] / rates['peer read']:12.1f} x"
    )
    result = {
        "rates_per_s": {name: round(rate) for name, rate in rates.items()},
        "load_average_at_start": LOAD,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/graph_rates.py",
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("neo4j", "polars")},
    }
    (ROOT / "benchmarks/results/graph_rates.json").write_text(json.dumps(result, indent=2) + "\n")


def measure(folder: Path, cache: Path) -> dict[str, float]:
    """Rates by name, in rows per second."""
    config = ServerConfig(home=folder, bolt_port=_free_port(), http_port=_free_port())
    with RejectedLog(folder / "rejected.jsonl") as rejected:
        dataset = read_source("retail", None, rejected, cache_dir=cache, progress=Silent())
    relations = len(dataset.events) + sum(len(table.heads) for table in dataset.relations)
    rates: dict[str, float] = {}
    with _timed(rates, "bulk load, relations", relations):
        counts = bulk_load(config, dataset, Silent())
    connection = server.up(config)
    try:
        with GraphStore(connection.uri, connection.username, connection.password) as store:
            confirm_bulk_load(config, store, dataset, counts, Silent())
            for name in ("snapshot first, relations", "snapshot again, relations"):
                with _timed(rates, name, relations):
                    taken = take_snapshot(store, folder / name.split(",")[0], Silent())
            assert len(taken.interactions) == len(dataset.events)
            _write(store, connection, dataset, folder, rates)
    finally:
        server.down(config)
    return rates


def _write(store: GraphStore, connection: Connection, dataset: Dataset, folder: Path, rates: dict[str, float]) -> None:
    """The ways to write take turns, round by round on the same server; the first round warms it and does not count."""
    before = store.counts()["events"]
    ours, theirs, logged = (_records(dataset.events, name) for name in ("writer", "peer", "log"))
    rows = _rows(theirs)
    fence = store.take_turn("bench", stalled=None).fence
    seconds = {"drained, events": 0.0, "writer, events": 0.0, "peer MERGE, events": 0.0}
    auth = (connection.username, connection.password)
    with neo4j.GraphDatabase.driver(connection.uri, auth=auth) as driver, Log(folder / "log.db") as log:
        for start in range(0, SOME, BATCH):
            end = start + BATCH
            for first in range(start, end, REQUEST):
                log.append([event for _, event in logged[first : first + REQUEST]])
            turns = {
                "drained, events": lambda: drain_once(log, store, fence=fence),
                "writer, events": lambda start=start, end=end: store.apply(ours[start:end], "bench"),
                "peer MERGE, events": lambda start=start, end=end: driver.execute_query(
                    MERGE, rows=rows[start:end], database_="neo4j"
                ),
            }
            for name, turn in turns.items():
                started = time.perf_counter()
                turn()
                seconds[name] += (time.perf_counter() - started) if start else 0.0
        for name, spent in seconds.items():
            rates[name] = (SOME - BATCH) / spent
        assert store.counts()["events"] == before + 3 * SOME
        with _timed(rates, "peer read", SOME):
            read = driver.execute_query(PLAIN_READ, limit=SOME, database_="neo4j").records
        assert len(read) == SOME
    online = replace(dataset, relations=(), entities=(), events=_renamed(dataset.events, "online"))
    nodes = len(dataset.users.ids) + len(dataset.items.ids)
    for name in ("online load, nodes and events", "online load again, nodes and events"):
        with _timed(rates, name, SOME + nodes):
            store.load(online)
    assert store.counts()["events"] == before + 4 * SOME


def _rows(records: list[tuple[int, Event]]) -> list[dict[str, object]]:
    names = ("event_id", "user_id", "item_id", "kind", "value", "at")
    return [{name: getattr(event, name) for name in names} for _, event in records]


def _renamed(events: EventTable, prefix: str) -> EventTable:
    """The first events under other ids."""
    return EventTable(
        event_ids=f"{prefix}:" + events.event_ids[:SOME],
        user_ids=events.user_ids[:SOME],
        item_ids=events.item_ids[:SOME],
        kinds=events.kinds[:SOME],
        values=events.values[:SOME],
        at=events.at[:SOME],
    )


def _records(events: EventTable, prefix: str) -> list[tuple[int, Event]]:
    some = _renamed(events, prefix)
    columns = (some.event_ids, some.user_ids, some.item_ids, some.kinds, some.values.tolist(), some.at.tolist())
    return [
        (offset, Event(event_id=event_id, user_id=user_id, item_id=item_id, kind=kind, value=value, at=at))
        for offset, (event_id, user_id, item_id, kind, value, at) in enumerate(zip(*columns, strict=True), start=1)
    ]


@contextmanager
def _timed(rates: dict[str, float], name: str, rows: int) -> Generator[None]:
    started = time.perf_counter()
    yield
    rates[name] = rows / (time.perf_counter() - started)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


LOAD = round(os.getloadavg()[0], 1)

if __name__ == "__main__":
    main()
