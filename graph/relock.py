"""Makes a lock file of jars anew, for whoever moves Clew to another Neo4j or Kafka:

    python -m graph.relock graph/neo4j.lock.toml [COORDINATE ...]

It takes minutes, because every POM is walked; users never need it.
"""

import sys
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

from graph.jars import LOCK, Jar

HEAD = """\
# The jars of a server that Clew fetches and starts, each with its SHA-256.
# Made by graph/relock.py; not to be edited by hand.
"""


def relock(roots: Sequence[str], lock: Path = LOCK) -> None:
    """Resolve `roots` (group:artifact:version) with all they need, and write the lock file."""
    import jgo

    environment = jgo.build("+".join(roots))
    found = tomllib.loads((environment.path / "jgo.lock.toml").read_text())["dependencies"]
    rows = [
        Jar(row["groupId"], row["artifactId"], row["version"], row["sha256"], row.get("classifier", ""))
        for row in found
    ]
    lock.write_text(lock_text(roots, rows))


def roots_of(lock: Path = LOCK) -> list[str]:
    return tomllib.loads(lock.read_text())["roots"]


def lock_text(roots: Sequence[str], rows: Iterable[Jar]) -> str:
    """The lock file; the same rows in any order give the same text."""
    quoted = ", ".join(f'"{root}"' for root in roots)
    return "\n".join([f"{HEAD}\nroots = [{quoted}]\n", *(_row(jar) for jar in sorted(rows, key=str))])


def _row(jar: Jar) -> str:
    names = ("group", "artifact", "version", "classifier", "sha256")
    lines = [f'{name} = "{getattr(jar, name)}"' for name in names if getattr(jar, name)]
    return "\n".join(["[[jar]]", *lines, ""])


if __name__ == "__main__":
    given = Path(sys.argv[1])
    relock(sys.argv[2:] or roots_of(given), given)
