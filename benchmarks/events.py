"""Durable events a second through HTTP, beside the way one would write it first.

    python benchmarks/events.py [--seconds 4] [--rounds 3] [--kafka]

Ours is the app of `clew serve` on a log of its own; the peer is FastAPI with a pydantic model and one INSERT an event,
a commit a request, into SQLite with the same promise (WAL, synchronous=FULL, an event id once). Each is a process of
its own; this one sends to them in turns, round by round: the first round warms both and does not count. Before timing,
both get the same events and must hold the same; after it, each must hold every event that it acknowledged, once.
--kafka: ours once more on a Kafka broker that is started for it, whose one disk is flushed for every batch.
Writes benchmarks/results/events.json.
"""

import argparse
import http.client
import itertools
import json
import os
import platform
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

import psutil
import uvicorn
from events_peer import peer_app

from api.app import create_app
from api.services import Services
from broker import server as kafka
from broker.server import BrokerConfig
from domain.records import Event
from ingest.kafka_address import KafkaAddress
from ingest.log import Log
from ingest.log_contract import DurableLog
from recommend.recommender import Recommender
from recommend.world import World

ROOT = Path(__file__).parents[1]
CONNECTIONS = {1: 16, 100: 4, 1000: 3}  # events a request -> requests at a time
READY_S = 60
LOAD = round(os.getloadavg()[0], 1)


@dataclass
class Side:
    """One of those that are compared. address: of Kafka; None: SQLite. acknowledged: event ids."""

    name: str
    folder: Path
    address: str | None = None
    port: int = 0
    process: psutil.Process | None = None
    acknowledged: list[str] = field(default_factory=list[str])
    rates: dict[int, list[float]] = field(default_factory=dict[int, list[float]])
    cpu_us: dict[int, list[float]] = field(default_factory=dict[int, list[float]])

    def cpu_s(self) -> float:
        """Seconds of processor that its server has used."""
        assert self.process is not None
        spent = self.process.cpu_times()
        return spent.user + spent.system


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=4, help="of one turn")
    arguments.add_argument("--rounds", type=int, default=3, help="that count")
    arguments.add_argument("--kafka", action="store_true", help="measure the log on Kafka too")
    arguments.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    arguments.add_argument("--address", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.serve:
        serve(Side(given.serve[0], Path(given.serve[1]), given.address, int(given.serve[2])))
        return
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sides = [Side("clew", Path(folder) / "clew"), Side("peer", Path(folder) / "peer")]
        if given.kafka:
            sides.append(Side("clew on Kafka", Path(folder) / "kafka", stack.enter_context(_broker(Path(folder)))))
        with ExitStack() as servers:
            for side in sides:
                servers.enter_context(_served(side))
            require_equal(sides)
            measure(sides, given.rounds, given.seconds)
        require_whole(sides)
    report(sides, given.rounds, given.seconds)


def measure(sides: list[Side], rounds: int, seconds: float) -> None:
    """Fills in the rates: turns of each side, one after the other."""
    for batch, number in itertools.product(CONNECTIONS, range(rounds + 1)):
        for side in sides:
            rate, cpu_us = turn(side, batch, seconds)
            if number > 0:
                side.rates.setdefault(batch, []).append(rate)
                side.cpu_us.setdefault(batch, []).append(cpu_us)


def turn(side: Side, batch: int, seconds: float) -> tuple[float, float]:
    """Sends for so long over several connections. Returns (events acknowledged a second, processor µs of each)."""
    many = CONNECTIONS[batch]
    bodies = [[_body(side.name, batch) for _ in range(_needed(batch, seconds))] for _ in range(many)]
    started, cpu_s = time.perf_counter(), side.cpu_s()
    with ThreadPoolExecutor(many) as pool:
        done = list(pool.map(partial(_send, side.port, until=started + seconds), bodies))
    spent = time.perf_counter() - started
    ids = [event_id for own in done for event_id in own]
    side.acknowledged += ids
    return len(ids) / spent, (side.cpu_s() - cpu_s) / len(ids) * 1e6


def _needed(batch: int, seconds: float) -> int:
    """More requests than any side can answer over one connection in that time."""
    return max(2, int(seconds * 60_000 / CONNECTIONS[batch] / batch) if batch > 1 else int(seconds * 400))


def _send(port: int, bodies: list[tuple[list[str], bytes]], until: float) -> list[str]:
    """Ids of the events that were acknowledged before the time was over."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    acknowledged: list[str] = []
    for ids, body in bodies:
        if time.perf_counter() > until:
            break
        connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        receipt = json.loads(answer.read())
        assert (answer.status, receipt["accepted"]) == (202, len(ids)), receipt
        acknowledged += ids
    connection.close()
    return acknowledged


_numbers = itertools.count()
_rng = random.Random(0)


def _body(name: str, batch: int) -> tuple[list[str], bytes]:
    ids = [f"{name}-{_rng.getrandbits(40):010x}-{next(_numbers)}" for _ in range(batch)]
    return ids, json.dumps({"events": [_event(event_id) for event_id in ids]}).encode()


def _event(event_id: str) -> dict[str, object]:
    """20,000 users, 5,000 items; a time of today; a quarter came from a list."""
    event: dict[str, object] = {
        "event_id": event_id,
        "user_id": f"user-{_rng.randrange(20_000)}",
        "item_id": f"item-{_rng.randrange(5_000)}",
        "kind": _rng.choice(["view", "view", "view", "cart", "purchase"]),
        "at": datetime.fromtimestamp(1_760_000_000 + _rng.randrange(1_000_000), tz=UTC).isoformat(),
    }
    if _rng.random() < 0.25:
        event |= {"recommendation_id": f"{_rng.getrandbits(64):016x}", "position": _rng.randrange(1, 11)}
    return event


def require_equal(sides: list[Side]) -> None:
    """The same events, sent twice, must leave the same rows on every side."""
    events = [_event(f"same-{number}") for number in range(1000)]
    body = json.dumps({"events": events}).encode()
    for side in sides:
        for accepted in (1000, 0):
            connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=60)
            connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
            receipt = json.load(connection.getresponse())
            assert (receipt["accepted"], receipt["duplicated"]) == (accepted, 1000 - accepted), (side.name, receipt)
            connection.close()
    first, *others = (sorted(_rows(side)) for side in sides)
    assert len(first) == 1000
    assert all(rows == first for rows in others)


def require_whole(sides: list[Side]) -> None:
    """Every acknowledged event is there once."""
    for side in sides:
        stored = [row[0] for row in _rows(side)]
        assert len(stored) == len(set(stored)), f"{side.name}: doubled"
        missing = set(side.acknowledged) - set(stored)
        assert not missing, f"{side.name}: {len(missing)} of {len(side.acknowledged)} lost"


def _rows(side: Side) -> list[tuple[str, str, str, str, int, str, int]]:
    """(event id, user, item, kind, at, list, position) of everything stored."""
    if side.name == "peer":
        columns = "event_id, user_id, item_id, kind, at, coalesce(recommendation_id, ''), coalesce(position, 0)"
        connection = sqlite3.connect(side.folder / "peer.db")
        rows = connection.execute(f"SELECT {columns} FROM events").fetchall()
        connection.close()
        return rows
    with _open(side) as log:
        records = [record for _, record in log.read(0, 100_000_000) if isinstance(record, Event)]
    return [
        (e.event_id, e.user_id, e.item_id, e.kind, e.at, e.recommendation_id or "", e.position or 0) for e in records
    ]


def _open(side: Side) -> DurableLog:
    if side.address is None:
        return Log(side.folder / "clew.db")
    from ingest.kafka_log import KafkaLog

    return KafkaLog(KafkaAddress(side.address, "bench"), side.folder)


def serve(side: Side) -> None:
    """What a server's process does."""
    side.folder.mkdir(parents=True, exist_ok=True)
    if side.name == "peer":
        uvicorn.run(peer_app(side.folder / "peer.db"), port=side.port, log_level="error", http="httptools")
        return
    with _open(side) as log:
        world = World(log)
        services = Services(recommender=Recommender(world, None), world=world, log=log)
        uvicorn.run(create_app(services), port=side.port, log_level="error", http="httptools")


@contextmanager
def _served(side: Side) -> Generator[None]:
    side.port = _free_port()
    command = [sys.executable, __file__, "--serve", side.name, str(side.folder), str(side.port)]
    address = [] if side.address is None else ["--address", side.address]
    process = subprocess.Popen([*command, *address], cwd=ROOT)
    side.process = psutil.Process(process.pid)
    try:
        deadline = time.monotonic() + READY_S
        while not _listens(side.port):
            assert process.poll() is None, f"{side.name} ended"
            assert time.monotonic() < deadline, f"{side.name} does not listen"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _broker(folder: Path) -> Generator[str]:
    config = BrokerConfig(home=folder, port=_free_port())
    try:
        yield kafka.up(config).address
    finally:
        kafka.down(config)


def report(sides: list[Side], rounds: int, seconds: float) -> None:
    rates = {side.name: {str(batch): round(median(found)) for batch, found in side.rates.items()} for side in sides}
    for name, found in rates.items():
        print(f"{name:16}" + "".join(f"  batches of {batch}: {rate:>9,} /s" for batch, rate in found.items()))
    cpu = {side.name: {str(batch): round(median(found), 1) for batch, found in side.cpu_us.items()} for side in sides}
    for name, found in cpu.items():
        print(f"{name:16}" + "".join(f"  batches of {batch}: {spent:>9.1f} µs" for batch, spent in found.items()))
    ratios = {batch: round(rate / rates["peer"][batch], 2) for batch, rate in rates["clew"].items()}
    print(f"{'clew : peer':16}" + "".join(f"  batches of {batch}: {ratio:>9.2f} x " for batch, ratio in ratios.items()))
    result = {
        "events_per_s": rates,
        "server_processor_us_per_event": cpu,
        "clew_to_peer": ratios,
        "rounds": {
            side.name: {str(batch): [round(one) for one in found] for batch, found in side.rates.items()}
            for side in sides
        },
        "acknowledged": {side.name: len(side.acknowledged) for side in sides},
        "lost": 0,  # require_whole has seen it
        "doubled": 0,
        "seconds_a_turn": seconds,
        "load_average_at_start": LOAD,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python benchmarks/events.py --seconds {seconds:g} --rounds {rounds}",
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("fastapi", "pydantic", "uvicorn", "msgspec")},
    }
    (ROOT / "benchmarks/results/events.json").write_text(json.dumps(result, indent=2) + "\n")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
