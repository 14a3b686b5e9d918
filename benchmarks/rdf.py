"""How long `clew ingest rdf` takes from a file of N-Triples to a graph in Neo4j that answers.

    python benchmarks/rdf.py

The file is made: courses with names, dates and hours, their teachers, topics and keywords, and what students did. It
goes into an empty graph, by the command, in a home of its own. Target: a million triples in three minutes.
Writes benchmarks/results/rdf.json.
"""

import argparse
import json
import os
import platform
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
TARGET_S = 180.0
MAPPING = """
[source]
name = "courses"
[prefixes]
ex = "https://example.org/"
[[items]]
class = "schema:Course"
base = "https://example.org/course/"
kind = "course"
name = "schema:name"
created_at = "schema:datePublished"
properties = [{ predicate = "ex:hours", name = "hours", type = "number" }]
[[entities]]
class = "schema:Person"
base = "https://example.org/person/"
label = "Teacher"
name = "schema:name"
[[relations]]
predicate = "schema:instructor"
type = "TAUGHT_BY"
tail = "Teacher"
[[relations]]
predicate = "schema:keywords"
type = "HAS_KEYWORD"
tail = "Keyword"
[[users]]
class = "schema:Student"
base = "https://example.org/student/"
[[events]]
class = "schema:RegisterAction"
kind = "enrol"
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--triples", type=int, default=1_000_000)
    given = arguments.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        loaded, seconds, peak_mib = measure(Path(folder), given.triples)
    print(f"{given.triples:,} triples in {seconds:.1f} s (target {TARGET_S:g} s a million), {peak_mib} MiB: {loaded}")
    result = {
        "triples": given.triples,
        "seconds": round(seconds, 1),
        "peak_mib_of_the_command": peak_mib,
        "loaded": loaded,
        "load_average_at_start": load,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": "python benchmarks/rdf.py",
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
    }
    if given.triples == 1_000_000:
        (ROOT / "benchmarks/results/rdf.json").write_text(json.dumps(result, indent=2) + "\n")


def measure(folder: Path, triples: int) -> tuple[dict[str, object], float, int]:
    """What was loaded, in how many seconds, and the most memory that the command's own process had (MiB)."""
    file = folder / "courses.nt"
    file.write_text("\n".join(islice(lines(random.Random(0)), triples)) + "\n")
    file.with_suffix(".toml").write_text(MAPPING)
    ports = {name: str(_free_port()) for name in ("CLEW_NEO4J_BOLT_PORT", "CLEW_NEO4J_HTTP_PORT")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLEW_", "NEO4J_"))}
    environment = kept | ports | {"CLEW_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "clew"]
    begun, peak = time.perf_counter(), 0
    try:
        with subprocess.Popen(
            [*command, "ingest", "rdf", str(file), "--json"], env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            seen = psutil.Process(process.pid)
            while process.poll() is None:
                peak = max(peak, seen.memory_info().rss)
                time.sleep(0.1)
            seconds = time.perf_counter() - begun
            assert process.stdout is not None
            told = process.stdout.read()
        assert process.returncode == 0, told
        return json.loads(told), seconds, peak // 2**20
    finally:
        subprocess.run([*command, "down"], env=environment, check=False, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lines(rng: random.Random) -> Iterator[str]:
    """Triples without an end: a course, three students' deeds, and now and then a new teacher."""
    schema, ex, is_a = (
        "https://schema.org/",
        "https://example.org/",
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>",
    )
    number = 0
    while True:
        course, teacher = f"<{ex}course/{number}>", f"<{ex}person/{number // 12}>"
        if number % 12 == 0:
            yield f"{teacher} {is_a} <{schema}Person> ."
            yield f'{teacher} <{schema}name> "Teacher {number // 12}" .'
        yield f"{course} {is_a} <{schema}Course> ."
        yield f'{course} <{schema}name> "Course {number}"@en .'
        yield f'{course} <{schema}datePublished> "2020-01-{number % 28 + 1:02}T00:00:00Z" .'
        yield f'{course} <{ex}hours> "{number % 40 + 1}"^^<http://www.w3.org/2001/XMLSchema#integer> .'
        yield f"{course} <{schema}instructor> {teacher} ."
        yield from (f'{course} <{schema}keywords> "word {rng.randrange(500)}" .' for _ in range(2))
        for deed in range(2):
            student, act = f"<{ex}student/{rng.randrange(10_000)}>", f"<{ex}act/{number}-{deed}>"
            yield f"{student} {is_a} <{schema}Student> ."
            yield f"{act} {is_a} <{schema}RegisterAction> ."
            yield f"{act} <{schema}agent> {student} ."
            yield f"{act} <{schema}object> <{ex}course/{rng.randrange(number + 1)}> ."
            yield f'{act} <{schema}endTime> "2021-03-{rng.randrange(28) + 1:02}T10:00:00Z" .'
        number += 1


if __name__ == "__main__":
    main()
