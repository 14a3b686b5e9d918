"""Runs one row: the command of each seed as a process of its own, and what it says as one JSON file."""

import json
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.quality.rows import Row

RESULTS = Path(__file__).parents[1] / "results" / "quality"
PACKAGES = ("numpy", "scipy", "torch", "torch-geometric", "implicit", "polars")


@dataclass(frozen=True)
class Effort:
    """Seconds for each search, or how many trials; how many of a row's seeds."""

    budget_s: float = 300.0
    trials: int | None = None
    seeds: int = 5

    def options(self) -> list[str]:
        return ["--trials", str(self.trials)] if self.trials else ["--budget-s", f"{self.budget_s:g}"]

    def told(self, row: Row) -> dict[str, Any]:
        return {"budget_s": self.budget_s, "trials": self.trials, "seeds": len(row.seeds[: self.seeds])}


def has_result(row: Row, effort: Effort) -> bool:
    """Whether the row was run with this effort before."""
    file = result_file(row)
    return file.is_file() and json.loads(file.read_text())["effort"] == effort.told(row)


def result_file(row: Row) -> Path:
    return RESULTS / f"{row.name}.json"


def run(row: Row, effort: Effort) -> dict[str, Any] | None:
    """Writes the row's file, and returns what is in it; None, with one line, where its data is missing."""
    options = row.options()
    if options is None:
        print(f"{row.name}: left out, its data is not there", file=sys.stderr)
        return None
    seeds = row.seeds[: effort.seeds]
    runs = [_run_seed(row, options, seed, effort) for seed in seeds]
    result = {
        "row": row.name,
        "title": row.title,
        "command": row.command,
        "scorer": row.scorer,
        "effort": effort.told(row),
        "figures": means(runs),
        "runs": runs,
        "machine": machine(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    temporary = result_file(row).with_suffix(".part")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    temporary.replace(result_file(row))
    return result


def means(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Of each metric, over the seeds; of ranking rows only."""
    tables = [run["score"]["metrics"] | {} for run in runs if "score" in run]
    beyond = [run["score"]["lists"] for run in runs if "score" in run]
    figures = {name: sum(table[name]["mean"] for table in tables) / len(tables) for name in (tables or [{}])[0]}
    return figures | {name: sum(table[name] for table in beyond) / len(beyond) for name in (beyond or [{}])[0]}


def machine() -> dict[str, Any]:
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).is_file():
        names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": psutil.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.system(),
        "load_at_end": round(psutil.getloadavg()[0], 1),
    }


def _run_seed(row: Row, options: dict[str, Path], seed: int, effort: Effort) -> dict[str, Any]:
    files = [part for name, path in options.items() for part in (f"--{name}", str(path))]
    common = ["--scorer", row.scorer, "--seed", str(seed), *effort.options(), "--json"]
    if row.command in ("share", "speed"):
        return _script(row, [*files, "--seed", str(seed), *effort.options()], seed)
    if row.command != "rank":
        command = ["bench", row.command, *files, "--k", str(max(row.ks)), *common]
        told, seconds = _clew(command)
        return {"seed": seed, "command": _said(command), "seconds": seconds, "report": told}
    with tempfile.TemporaryDirectory() as folder:
        lists = str(Path(folder) / "lists.tsv")
        command = ["bench", "rank", *files, "--k", str(max(row.ks)), "--out", lists, *common]
        told, seconds = _clew(command)
        scored = ["bench", "score", lists, *files, *(part for k in row.ks for part in ("--k", str(k))), "--json"]
        figures, _ = _clew(scored)
    said = [_said(each).replace(lists, "lists.tsv") for each in (command, scored)]
    return {"seed": seed, "command": " && ".join(said), "seconds": seconds, "report": told, "score": figures}


def _script(row: Row, arguments: list[str], seed: int) -> dict[str, Any]:
    module = f"benchmarks.quality.{row.command}"
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    said = " ".join(["python", "-m", module, *arguments])
    return {"seed": seed, "command": said, "seconds": time.perf_counter() - began, "report": json.loads(done.stdout)}


def _clew(arguments: list[str]) -> tuple[Any, float]:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "clew", *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout), round(time.perf_counter() - began, 1)


def _said(arguments: list[str]) -> str:
    return " ".join(["clew", *arguments])
