"""How long it takes from posting an event to a list that reflects it, beside a server that does nothing but HTTP.

    python benchmarks/freshness.py                 # one and two server processes on the log in SQLite, and the floor
    python benchmarks/freshness.py --kafka         # the same on a log in Kafka, a broker of its own; and two machines

A probe asks for a list, posts that the user took its first item, and asks again: the list reflects the event when
the item is gone. The time runs from before the post to after the list. With two processes the event goes to one and
the list comes from the other; "two machines" are two processes that share nothing but the broker. Meanwhile another
process posts 100 events/s and asks for 50 lists/s, each at its time whether or not earlier ones were answered. Lists
have 10 items; "with reasons" asks for those in every list.
The data is the movies demo (943 users, 1,682 films); no Neo4j runs, so that reasons are not confirmed.
Writes benchmarks/results/freshness.json, or freshness_kafka.json.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import platform
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
EVENTS_PER_S, LISTS_PER_S = 100, 50
WORKERS = 16  # connections of the background load
GIVE_UP_S = 2.0
WARM_UP = 20  # probes that do not count


class Client:
    """One kept connection that speaks JSON."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def get(self, path: str) -> Any:
        self._connection.request("GET", path)
        return json.loads(self._connection.getresponse().read())

    def post(self, path: str, body: object) -> Any:
        self._connection.request("POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status in (200, 202), (answer.status, content[:300])
        return json.loads(content)

    def top(self, user_id: str, *, reasons: bool) -> list[str]:
        body = {"user_id": user_id, "n": 10, "include": ["reasons"] if reasons else []}
        return [item["item_id"] for item in self.post("/v1/recommendations", body)["items"]]

    def took(self, user_id: str, item_id: str) -> None:
        self.post("/v1/events", {"user_id": user_id, "item_id": item_id, "kind": "purchase"})


def probe(post_to: int, ask: int, users: list[str], seconds: float, *, reasons: bool, is_floor: bool) -> dict[str, Any]:
    """Milliseconds of each probe, and how many first lists, and all lists, reflected their event."""
    writer, reader = Client(post_to), Client(ask)
    times: list[float] = []
    posts: list[float] = []
    at_once, seen = 0, 0
    deadline, number = time.monotonic() + seconds, 0
    while time.monotonic() < deadline or number < WARM_UP + 10:
        user_id = users[number % len(users)]
        first = reader.top(user_id, reasons=False)[0]
        begin = time.perf_counter()
        writer.took(user_id, first)
        posted = time.perf_counter()
        tries, is_seen = 0, False
        while not is_seen and time.perf_counter() - begin < GIVE_UP_S:
            is_seen = first not in reader.top(user_id, reasons=reasons) or is_floor
            tries += 1
        ended = time.perf_counter()
        number += 1
        if number > WARM_UP:
            times.append((ended - begin) * 1000)
            posts.append((posted - begin) * 1000)
            at_once, seen = at_once + (tries == 1 and is_seen), seen + is_seen
        time.sleep(0.01)
    times.sort()
    return {
        "probes": len(times),
        "p50_ms": round(statistics.median(times), 2),
        "p99_ms": round(times[min(len(times) - 1, int(0.99 * len(times)))], 2),
        "post_p50_ms": round(statistics.median(posts), 2),
        "reflected_at_once": round(at_once / len(times), 4),
        "reflected": round(seen / len(times), 4),
    }


def load(ports: list[int], users: list[str], items: list[str], seconds: float, *, reasons: bool) -> None:
    """The background: every call at its time, spread over the servers. Prints what was achieved."""
    done: list[str] = []
    late: list[float] = []
    lock, begin = threading.Lock(), time.monotonic()
    total = EVENTS_PER_S + LISTS_PER_S
    places = iter(range(int(seconds * total)))

    def work(seed: int) -> None:
        rng, clients = random.Random(seed), [Client(port) for port in ports]
        while True:
            with lock:
                place = next(places, None)
            if place is None:
                return
            due = begin + place / total
            time.sleep(max(0.0, due - time.monotonic()))
            client, is_event = clients[place % len(clients)], place % 3 < 2
            try:
                if is_event:
                    client.took(rng.choice(users), rng.choice(items))
                else:
                    client.top(rng.choice(users), reasons=reasons)
            except OSError:
                return  # the servers are gone: all probes were made
            with lock:
                done.append("event" if is_event else "list")
                late.append(time.monotonic() - due)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took, events = time.monotonic() - begin, done.count("event")
    print(json.dumps({"events_per_s": round(events / took, 1), "lists_per_s": round((len(done) - events) / took, 1)}))


def floor_app() -> Any:
    """The least that any FastAPI server does: the same bodies in, answers of the same size out, nothing behind them."""
    from fastapi import FastAPI, Request, Response

    app = FastAPI()
    items = [
        {"item_id": str(n), "rank": n, "score": 1.0, "name": "name", "reasons": [], "rules": []} for n in range(10)
    ]
    answer = json.dumps({"recommendation_id": "0" * 32, "items": items}).encode()

    @app.post("/v1/events", status_code=202)
    async def events(request: Request) -> Response:
        await request.json()
        return Response(b'{"accepted":1,"duplicated":0,"rejected":[]}', 202, media_type="application/json")

    @app.post("/v1/recommendations")
    async def lists(request: Request) -> Response:
        await request.json()
        return Response(answer, media_type="application/json")

    return app


def free_port() -> int:
    """A port that is free, as is the next one."""
    while True:
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError, OverflowError):
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            second.bind(("127.0.0.1", port + 1))
            return port


@contextlib.contextmanager
def processes(commands: list[list[str]], environments: list[dict[str, str]], ports: list[int]) -> Generator[None]:
    """Servers that answer; ended after the block."""
    started = [
        subprocess.Popen(command, env=environment, cwd=environment.get("CLEW_HOME", "."), stdout=subprocess.DEVNULL)
        for command, environment in zip(commands, environments, strict=True)
    ]
    try:
        for process, port in zip(started, ports, strict=True):
            _await(process, port)
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=30)


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "a server ended at its start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"no server on port {port}")


def servers(homes: list[Path], settings: dict[str, str]) -> contextlib.AbstractContextManager[list[int]]:
    """One server for each home; several may have the same."""
    ports = [free_port() for _ in homes]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CLEW_", "NEO4J_"))}
    base = kept | {"CLEW_NEO4J_BOLT_PORT": str(free_port()), "PYTHONPATH": str(ROOT)} | settings
    command = [sys.executable, "-m", "clew", "serve", "--no-writer"]
    environments = [
        base | {"CLEW_HOME": str(home), "CLEW_PORT": str(port)} for home, port in zip(homes, ports, strict=True)
    ]
    return _yielding(ports, processes([command] * len(homes), environments, ports))


def floor() -> contextlib.AbstractContextManager[list[int]]:
    ports = [free_port()]
    code = "import sys, uvicorn; sys.path[:0] = [sys.argv[1]]; from freshness import floor_app; "
    code += "uvicorn.run(floor_app(), port=int(sys.argv[2]), http='httptools', loop='asyncio', log_config=None)"
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(ports[0])]
    return _yielding(ports, processes([command], [dict(os.environ)], ports))


@contextlib.contextmanager
def _yielding(ports: list[int], context: contextlib.AbstractContextManager[None]) -> Generator[list[int]]:
    with context:
        yield ports


def make_home(folder: Path, cache: Path) -> tuple[list[str], list[str]]:
    """A home with a model of the movies demo. Returns its users and items."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.quality_demos import demo_snapshot
    from embeddings.artifact import switch_current
    from embeddings.train import train

    snapshot = demo_snapshot("movies", cache)
    if not (folder / "models" / "CURRENT").exists():
        made = train(snapshot, folder / "models", seed=0)
        switch_current(folder / "models", made.version)
    return snapshot.user_ids.tolist(), snapshot.item_ids.tolist()


def measure(
    context: contextlib.AbstractContextManager[list[int]],
    users: list[str],
    items: list[str],
    seconds: float,
    *,
    reasons: bool = False,
    is_floor: bool = False,
) -> dict[str, Any]:
    with context as ports:
        half = len(users) // 2  # the probe's users do nothing else
        command = [sys.executable, __file__, "--load", json.dumps([ports, users[half:], items, seconds + 3, reasons])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as background:
            time.sleep(1)
            found = probe(ports[0], ports[-1], users[:half], seconds, reasons=reasons, is_floor=is_floor)
            output, _ = background.communicate(timeout=120)
        return found | json.loads(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"), help="where demo data is kept")
    parser.add_argument("--home", type=Path, help="a folder whose model is used again, or made; default: a new one")
    parser.add_argument("--kafka", action="store_true", help="the log in Kafka; default: in SQLite")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        ports, users, items, seconds, reasons = json.loads(options.load)
        load(ports, users, items, seconds, reasons=reasons)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        options.cache.mkdir(parents=True, exist_ok=True)
        users, items = make_home(home, options.cache)
        with broker_in(Path(folder)) if options.kafka else contextlib.nullcontext() as kafka:
            report(options, home.resolve(), kafka, users, items)


@contextlib.contextmanager
def broker_in(folder: Path) -> Generator[str]:
    """A Kafka of its own; its address."""
    from broker import server

    config = server.BrokerConfig(home=folder, port=free_port())
    try:
        yield server.up(config).address
    finally:
        server.down(config)


def report(options: argparse.Namespace, home: Path, kafka: str | None, users: list[str], items: list[str]) -> None:
    found: dict[str, Any] = {}
    load_average = os.getloadavg()[0]

    def add(name: str, context: contextlib.AbstractContextManager[list[int]], **how: bool) -> None:
        found[name] = measure(context, users, items, options.seconds, **how)
        print(f"{name:38} " + "  ".join(f"{key} {value}" for key, value in found[name].items()), flush=True)

    kinds = {"one process": [home], "two processes": [home, home]}
    if kafka:
        shutil.copytree(home / "models", (other := home / "other") / "models", dirs_exist_ok=True)
        kinds["two machines"] = [home, other]
    add("floor: HTTP only", floor(), is_floor=True)
    for number, (reasons, (name, homes)) in enumerate(itertools.product((False, True), kinds.items())):
        for each in homes:
            shutil.rmtree(each / "log", ignore_errors=True)
        settings = {"CLEW_EVENTS": f"kafka://{kafka}/clew{number}"} if kafka else {}
        told = f"{'Kafka' if kafka else 'SQLite'}, {name}, {'with' if reasons else 'no'} reasons"
        add(told, servers(homes, settings), reasons=reasons)
    about = {
        "command": f"python benchmarks/freshness.py{' --kafka' if kafka else ''} --seconds {options.seconds:g}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "seconds": options.seconds,
        "load_average_at_start": round(load_average, 1),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    file = RESULTS / f"freshness{'_kafka' if kafka else ''}.json"
    file.write_text(json.dumps({"about": about, "found": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
