"""Every benchmark, one after the other: `python -m benchmarks` (what `make bench` runs)."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("CLEW_HOME", ".clew")) / "cache"
COMMANDS = (
    ("graph_rates.py",),
    ("quality_demos.py", "movies", "--splits", "../shared/data/ml-100k-splits"),
    ("quality_demos.py", "retail"),
)

for script, *arguments in COMMANDS:
    print(f"\n== {script} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *arguments, "--cache", str(CACHE)], check=True)
