"""What keeping answers costs a list: the same lists with and without a ledger, in turns.

    python -m benchmarks.ledger [--models FOLDER] [--lists 400]

Prints the time of `recommend` on both sides, their difference user by user, and what an answer takes on disk.
Neo4j is not asked: paths are unchecked.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from embeddings.artifact import load_current
from ingest.log import Log
from recommend.ledger import Ledger
from recommend.recommender import Recommender
from recommend.request import RecommendRequest
from recommend.world import World


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=Path(".clew/models"))
    parser.add_argument("--lists", type=int, default=400)
    asked = parser.parse_args()
    artifact, _ = load_current(asked.models)
    if artifact is None:
        parser.error(f"no model in {asked.models}; `clew demo` makes one")
    with tempfile.TemporaryDirectory() as folder, Log(Path(folder) / "log.db") as log:
        world = World(log, artifact=artifact)
        ledger = Ledger(Path(folder) / "ledger.db", days=30, max_bytes=2**29, is_erased=log.is_erased)
        sides = {"without": Recommender(world, None), "with": Recommender(world, None, ledger=ledger)}
        users = world.view().snapshot.user_ids[: asked.lists].tolist()
        took: dict[str, list[float]] = {name: [] for name in sides}
        spent: dict[str, list[float]] = {name: [] for name in sides}
        for place, user_id in enumerate([*users[:20], *users]):
            for name in sorted(sides, reverse=bool(place % 2)):
                start, cpu = time.perf_counter(), time.thread_time()
                sides[name].recommend(RecommendRequest(user_id=user_id))
                if place >= 20:  # the first ones warm up
                    took[name].append((time.perf_counter() - start) * 1000)
                    spent[name].append((time.thread_time() - cpu) * 1000)
        ledger.close()
        for name, values in took.items():
            print(f"{name:8} median {np.median(values):6.2f} ms   95 % {np.percentile(values, 95):6.2f} ms")
        for name, times in (("wall", took), ("CPU of the request's thread", spent)):
            paired = np.array(times["with"]) - np.array(times["without"])
            print(f"paired difference, median: {np.median(paired):.2f} ms {name}")
        counts, size = ledger.counts, (Path(folder) / "ledger.db").stat().st_size
        print(f"kept {counts.kept}, dropped {counts.dropped}, {size / max(counts.kept, 1) / 1024:.1f} KiB an answer")


if __name__ == "__main__":
    main()
