"""Memory of one API process over time, while 100,000 users come and go.

    python benchmarks/soak.py                       # 10 minutes
    python benchmarks/soak.py --seconds 120

Events of random users are posted in batches of 50, at --events-per-s; lists of other random users are asked for, at
--lists-per-s. The server may keep --memory-mb of users, which is less than they need, so that users leave memory and
come back all the time. The first part of the run fills what there is to fill; the slope is that of the second half.
Writes benchmarks/results/soak.json and docs/images/soak.png.
"""

import argparse
import json
import os
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from freshness import ROOT, Client, make_home, servers

RESULTS = Path(__file__).parent / "results"
PLOT = ROOT / "docs" / "images" / "soak.png"
BATCH = 50
MIB = 2**20


def traffic(
    port: int, users: int, items: list[str], until: float, options: argparse.Namespace
) -> list[threading.Thread]:
    """Two threads that post and ask at their rates until the time is over."""

    def post() -> None:
        client, rng, due = Client(port), random.Random(1), time.monotonic()
        while time.monotonic() < until:
            due += BATCH / options.events_per_s
            events = [
                {"user_id": f"s{rng.randrange(users)}", "item_id": rng.choice(items), "kind": "view"}
                for _ in range(BATCH)
            ]
            client.post("/v1/events", {"events": events})
            time.sleep(max(0.0, due - time.monotonic()))

    def ask() -> None:
        client, rng, due = Client(port), random.Random(2), time.monotonic()
        while time.monotonic() < until:
            due += 1 / options.lists_per_s
            client.top(f"s{rng.randrange(users)}", reasons=False)
            time.sleep(max(0.0, due - time.monotonic()))

    threads = [threading.Thread(target=work) for work in (post, ask)]
    for thread in threads:
        thread.start()
    return threads


def watch(port: int, until: float) -> list[dict[str, float]]:
    """Once a second: seconds since the start, resident MiB of the server, its users in memory, and how many left it."""
    process = next(
        process
        for process in psutil.process_iter(["cmdline"])
        if "serve" in (process.info["cmdline"] or []) and process.environ().get("CLEW_PORT") == str(port)
    )
    client, begin, found = Client(port), time.monotonic(), []
    while time.monotonic() < until:
        profiles = client.get("/health/ready")["profiles"]
        seconds, rss = round(time.monotonic() - begin, 1), round(process.memory_info().rss / MIB, 1)
        found.append({"s": seconds, "rss_mib": rss, "users": profiles["users"], "evicted": profiles["evicted"]})
        time.sleep(1)
    return found


def slope_mib_per_minute(samples: list[dict[str, float]]) -> float:
    """Of the least-squares line through the second half."""
    half = samples[len(samples) // 2 :]
    slope = statistics.linear_regression([one["s"] for one in half], [one["rss_mib"] for one in half]).slope
    return round(slope * 60, 2)


def plot(samples: list[dict[str, float]], title: str) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(7, 3.5))
    axis.plot([one["s"] / 60 for one in samples], [one["rss_mib"] for one in samples])
    axis.set(xlabel="minutes", ylabel="resident memory, MiB", title=title, ylim=(0, None))
    axis.grid(alpha=0.3)
    figure.tight_layout()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"), help="where demo data is kept")
    parser.add_argument("--home", type=Path, help="a folder whose model is used again, or made; default: a new one")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--events-per-s", type=float, default=1_000.0)
    parser.add_argument("--lists-per-s", type=float, default=20.0)
    parser.add_argument("--memory-mb", type=int, default=32)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = (options.home or Path(folder)).resolve()
        options.cache.mkdir(parents=True, exist_ok=True)
        _, items = make_home(home, options.cache)
        report(options, run(options, home, items))


def run(options: argparse.Namespace, home: Path, items: list[str]) -> list[dict[str, float]]:
    """The samples, over a log of its own."""
    for file in (home / "log").glob("clew.db*"):
        file.unlink()
    with servers([home], {"CLEW_PROFILES_MEMORY_MB": str(options.memory_mb)}) as (port,):
        until = time.monotonic() + options.seconds
        threads = traffic(port, options.users, items, until, options)
        samples = watch(port, until)
        for thread in threads:
            thread.join()
    return samples


def report(options: argparse.Namespace, samples: list[dict[str, float]]) -> None:
    first, last = samples[len(samples) // 2], samples[-1]
    found: dict[str, Any] = {
        "cores": os.cpu_count(),
        **{name: getattr(options, name) for name in ("seconds", "users", "events_per_s", "lists_per_s", "memory_mb")},
        "rss_mib_half_way": first["rss_mib"],
        "rss_mib_at_the_end": last["rss_mib"],
        "slope_mib_per_minute": slope_mib_per_minute(samples),
        "users_in_memory": last["users"],
        "evicted": last["evicted"],
    }
    print(json.dumps(found, indent=2))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "soak.json").write_text(json.dumps(found | {"samples": samples[:: max(1, len(samples) // 60)]}) + "\n")
    plot(samples, f"API under load of {options.users:,} users, {options.memory_mb} MiB for profiles")


if __name__ == "__main__":
    main()
