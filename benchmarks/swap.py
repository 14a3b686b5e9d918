"""Whether requests feel a new model: lists and events over HTTP while a server takes up one model after the other.

    python benchmarks/swap.py movies --cache .clew/cache

A real `clew serve` on a model of the demo, without Neo4j. Clients ask for --rate lists a second, and post an event with
every fifth, at planned moments; a request's time counts from its planned moment. --rounds times two windows of --window
seconds follow each other on the same server: in "calm" nothing happens, the floor; at the start of "swap" CURRENT is
switched to another version, which the server takes up within the window. Slow is what takes longer than twice the p99
of all calm windows; slow requests of the calm windows are counted by the same measure. Last, a training of the same
data runs beside, in its own process with one thread and a low priority: "training".
Writes benchmarks/results/swap_<demo>.json.
"""

import argparse
import contextlib
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
SETTLE_S = 5.0
TRAINING_S = 60.0
WORST = 5  # slowest requests that are told one by one
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
    """The same training again, as `clew train --watch` runs it, for TRAINING_S at most. When it began and ended."""
    program = (
        "import sys; from pathlib import Path; from embeddings.artifact import load_artifact; "
        "from embeddings.train import train; home = Path(sys.argv[1]); "
        "train(load_artifact(home / 'models').snapshot, home / 'second', force=True)"
    )
    began = time.monotonic()
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = ["nice", "-n", str(NICE), sys.executable, "-c", program, str(home)]
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(command, env=one_thread, check=True, timeout=TRAINING_S)
    return began, time.monotonic()


def told(answers: list[Answer], slow_ms: float) -> dict[str, float]:
    """Of requests. slow_ms: what takes longer is slow."""
    times = np.array([answer.took_ms for answer in answers] or [np.nan])
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return {
        "requests": len(answers),
        "failed": sum(not answer.ok for answer in answers),
        "slow": int((times > slow_ms).sum()),
        "p50_ms": round(float(p50), 2),
        "p99_ms": round(float(p99), 2),
        "max_ms": round(float(times.max()), 2),
    }


def within(answers: list[Answer], begins: list[float], length_s: float) -> list[Answer]:
    """The answers to what was planned in windows of that length."""
    return [a for a in answers if any(begin <= a.planned < begin + length_s for begin in begins)]


def slowest(answers: list[Answer], begins: list[float], length_s: float) -> list[float]:
    """The slowest request of each window, in milliseconds."""
    return [round(max(a.took_ms for a in within(answers, [begin], length_s)), 2) for begin in begins]


def measure(options: argparse.Namespace, home: Path) -> dict[str, object]:
    snapshot = prepare(options.demo, options.cache, home, options.rounds + 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = serve(home, port)
    load = Load(port, snapshot.user_ids.tolist(), snapshot.item_ids.tolist(), options.rate)
    load.start()
    calm: list[float] = []
    swap: list[float] = []
    try:
        time.sleep(SETTLE_S)
        for number in range(1, options.rounds + 1):
            calm.append(time.monotonic())
            time.sleep(options.window)
            swap.append(time.monotonic())
            switch_current(home / "models", f"v{number}", keep=options.rounds + 1)
            time.sleep(options.window)
        training = train_beside(home) if options.training else None
    finally:
        load.stop()
        server.send_signal(signal.SIGTERM)
        server.wait()
    return report(load.answers, calm, swap, options.window, training)


def report(
    answers: list[Answer], calm: list[float], swap: list[float], window_s: float, training: tuple[float, float] | None
) -> dict[str, object]:
    """What the phases' requests took. calm, swap: when each window began; training: its begin and end."""
    taken_up_s = [
        min((a.planned + a.took_ms / 1000 for a in answers if a.version == f"v{number}"), default=np.inf) - at
        for number, at in enumerate(swap, start=1)
    ]
    if max((answer.planned for answer in answers), default=0) < swap[-1] + window_s - 1:
        raise SystemExit("requests were not answered as fast as they were asked; give a lower --rate")
    if max(taken_up_s) > window_s:
        raise SystemExit(f"a model was taken up after {max(taken_up_s):.1f} s, outside its window; give a longer one")
    in_calm, in_swap = within(answers, calm, window_s), within(answers, swap, window_s)
    slow_ms = 2 * float(np.quantile([answer.took_ms for answer in in_calm], 0.99))
    worst = sorted(in_swap, key=lambda answer: -answer.took_ms)[:WORST]
    during = [a for a in answers if training and training[0] <= a.planned < training[1]]
    return {
        "slow_is_above_ms": round(slow_ms, 2),
        "calm": told(in_calm, slow_ms),
        "swap": told(in_swap, slow_ms),
        "training": told(during, slow_ms) if training else None,
        "taken_up_after_s": [round(each, 2) for each in taken_up_s],
        "slowest_of_each_calm_ms": slowest(answers, calm, window_s),
        "slowest_of_each_swap_ms": slowest(answers, swap, window_s),
        "slowest_in_swap": [
            {
                "took_ms": round(a.took_ms, 2),
                "after_switch_s": round(min(a.planned - at for at in swap if at <= a.planned), 2),
            }
            for a in worst
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("demo", choices=["movies", "retail"])
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"))
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--window", type=float, default=8)
    parser.add_argument("--training", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options, Path(folder))
    result |= {
        "command": f"python benchmarks/swap.py {options.demo} --rate {options.rate:g}",
        "rate_per_s": options.rate,
        "load_average": os.getloadavg()[0],
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
    }
    (RESULTS / f"swap_{options.demo}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
