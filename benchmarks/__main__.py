"""Every benchmark, one after the other: `python -m benchmarks` (what `make bench` runs)."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("CLEW_HOME", ".clew")) / "cache"
COMMANDS = (
    ("propagation.py",),
    ("graph_rates.py", "--cache", str(CACHE)),
    ("quality_demos.py", "movies", "--splits", "../shared/data/ml-100k-splits", "--cache", str(CACHE)),
    ("quality_demos.py", "retail", "--cache", str(CACHE)),
    ("replay.py", "retailrocket", "online-retail", "retail", "--cache", str(CACHE)),
    ("swap.py", "movies", "--cache", str(CACHE)),
    ("freshness.py", "--cache", str(CACHE)),
    ("freshness.py", "--kafka", "--cache", str(CACHE)),
    ("events.py",),
)

for script, *arguments in COMMANDS:
    print(f"\n== {script} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *arguments], check=True)
