"""Whether requests feel a new model: lists and events over HTTP while a server takes up one model after the other.

    python benchmarks/swap.py movies --cache .clew/cache

A real `clew serve` on a model of the demo, without Neo4j. Clients ask for --rate lists a second, and post an event with
every fifth, at planned moments; a request's time counts from its planned moment. First for --calm seconds nothing
happens. Then, --swaps times, CURRENT is switched to another version: what is asked from there until --after seconds
later is "swap". Last, a training of the same data runs beside, in its own process with one thread and a low priority:
"training". Writes benchmarks/results/swap_<demo>.json.
"""

import argparse
import http.client
import json
import os
import platform
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from clew.watch import NICE
from domain.dataset_snapshot import snapshot_of
from domain.progress import Silent
from domain.snapshot import Snapshot
from embeddings.artifact import load_artifact, switch_current, write_artifact
from embeddings.train import train
from ingest.report import RejectedLog
from ingest.sources import read_source
from ingest.sources.demos import demo_source

RESULTS = Path(__file__).parent / "results"
CLIENTS = 4
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """planned: seconds of the monotonic clock. took_ms: from there. version: of the model that made the list."""

    planned: float
    took_ms: float
    ok: bool
    version: str | None


class Load:
    """Clients in threads of their own, from `start` to `stop`."""

    def __init__(self, port: int, users: list[str], items: list[str], rate: float) -> None:
        self._port, self._users, self._items = port, users, items
        self._gap_s = CLIENTS / rate
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(place,)) for place in range(CLIENTS)]
        self.answers: list[Answer] = []

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, place: int) -> None:
        chance = random.Random(place)
        client = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        planned = time.monotonic() + chance.random() * self._gap_s
        count = 0
        while not self._stop.wait(max(0.0, planned - time.monotonic())):
            count += 1
            user_id = chance.choice(self._users)
            if count % 5 == 0:
                event = {"user_id": user_id, "item_id": chance.choice(self._items), "kind": "view"}
                self._ask(client, planned, "/v1/events", {"events": [event]})
            else:
                self._ask(client, planned, "/recommend", {"user_id": user_id})
            planned += self._gap_s

    def _ask(self, client: http.client.HTTPConnection, planned: float, path: str, body: object) -> None:
        try:
            client.request("POST", path, json.dumps(body), JSON)
            answer = client.getresponse()
            document, ok = json.loads(answer.read()), answer.status in (200, 202)
        except (OSError, http.client.HTTPException, ValueError):
            client.close()
            document, ok = {}, False
        took_ms = (time.monotonic() - planned) * 1000
        self.answers.append(Answer(planned, took_ms, ok, document.get("model_version")))


def prepare(demo: str, cache: Path, home: Path, versions: int) -> Snapshot:
    """A home with so many versions of one model, "v0" current."""
    source, path, _ = demo_source(demo, cache, Silent())
    with RejectedLog(home / "rejected.jsonl") as rejected:
        snapshot = snapshot_of(read_source(source, path, rejected, cache_dir=cache, progress=Silent()))
    made = train(snapshot, home / "first")
    artifact = load_artifact(home / "first", made.version)
    for number in range(versions):
        manifest = msgspec.structs.replace(artifact.manifest, version=f"v{number}")
        write_artifact(home / "models", manifest, artifact.weights, snapshot)
    switch_current(home / "models", "v0", keep=versions)
    return snapshot


def serve(home: Path, port: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {"CLEW_HOME": str(home), "CLEW_PORT": str(port)}
    command = [sys.executable, "-m", "clew", "serve", "--no-writer"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.2)
    raise SystemExit("the server does not start")


def train_beside(home: Path) -> tuple[float, float]:
    """The same training again, as `clew train --watch` runs it. Returns when it began and ended."""
    program = (
        "import sys; from pathlib import Path; from embeddings.artifact import load_artifact; "
        "from embeddings.train import train; home = Path(sys.argv[1]); "
        "train(load_artifact(home / 'models').snapshot, home / 'second', force=True)"
    )
    began = time.monotonic()
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    subprocess.run(["nice", "-n", str(NICE), sys.executable, "-c", program, str(home)], env=one_thread, check=True)
    return began, time.monotonic()


def told(answers: list[Answer]) -> dict[str, float]:
    times = np.array([answer.took_ms for answer in answers] or [np.nan])
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return {
        "requests": len(answers),
        "failed": sum(not answer.ok for answer in answers),
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "max_ms": round(float(times.max()), 2),
    }


def measure(options: argparse.Namespace, home: Path) -> dict[str, object]:
    snapshot = prepare(options.demo, options.cache, home, options.swaps + 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = serve(home, port)
    load = Load(port, snapshot.user_ids.tolist(), snapshot.item_ids.tolist(), options.rate)
    load.start()
    try:
        time.sleep(5)
        calm = time.monotonic()
        time.sleep(options.calm)
        switches: list[float] = []
        for number in range(1, options.swaps + 1):
            switches.append(time.monotonic())
            switch_current(home / "models", f"v{number}", keep=options.swaps + 1)
            time.sleep(options.after)
        training = train_beside(home) if options.training else (0.0, 0.0)
    finally:
        load.stop()
        server.send_signal(signal.SIGTERM)
        server.wait()
    answers = load.answers
    taken_up_s = [
        min((a.planned + a.took_ms / 1000 for a in answers if a.version == f"v{number}"), default=np.inf) - at
        for number, at in enumerate(switches, start=1)
    ]
    return {
        "calm": told([a for a in answers if calm <= a.planned < switches[0]]),
        "swap": told([a for a in answers if switches[0] <= a.planned < switches[-1] + options.after]),
        "training": told([a for a in answers if training[0] <= a.planned < training[1]]) if options.training else None,
        "taken_up_after_s": [round(each, 2) for each in taken_up_s],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", choices=["movies", "retail"])
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"))
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--calm", type=float, default=20)
    parser.add_argument("--swaps", type=int, default=5)
    parser.add_argument("--after", type=float, default=8)
    parser.add_argument("--training", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options, Path(folder))
    result |= {
        "command": f"python benchmarks/swap.py {options.demo}",
        "rate_per_s": options.rate,
        "load_average": os.getloadavg()[0],
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
    }
    (RESULTS / f"swap_{options.demo}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
