"""The jars of a server: exactly those of its lock file, fetched once into the shared Maven cache.

They are fetched on the user's machine (Neo4j's are GPLv3, Kafka's Apache-2.0); none is part of this package.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from domain.errors import ClewError, DiskFull, DownloadFailed, HashMismatch
from domain.progress import Progress, Silent

LOCK = Path(__file__).with_name("neo4j.lock.toml")
THREADS = 16
TIMEOUT_S = 30
NEEDED_BYTES = 400 * 1024 * 1024  # 191 MB of jars, and room for the database


@dataclass(frozen=True)
class Jar:
    """One row of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str
    classifier: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.group, self.artifact, self.version, self.classifier) if part)

    def path(self, cache: Path) -> Path:
        """Where a Maven cache keeps this jar."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        folder = cache.joinpath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}{suffix}.jar"


def locked(lock: Path = LOCK) -> tuple[Jar, ...]:
    """The rows of the lock file, in its order."""
    return tuple(Jar(**row) for row in tomllib.loads(lock.read_text())["jar"])


def neo4j_version(jars: Sequence[Jar]) -> str:
    return next(jar.version for jar in jars if (jar.group, jar.artifact) == ("org.neo4j", "neo4j"))


def ensure(stamp: Path, progress: Progress | None = None, *, lock: Path = LOCK) -> list[Path]:
    """The paths of all jars of a lock file, fetched and checked if need be.

    stamp: a file that remembers size and time of each checked jar, so that an ordinary start
    does not hash 191 MB again. `doctor` hashes them all.
    Raises: DownloadFailed, HashMismatch, DiskFull.
    """
    known = _checked_before(stamp, lock)
    if known is not None:
        return known
    paths = fetch(locked(lock), cache_folder(), progress)
    _write_stamp(stamp, paths, lock)
    return paths


def cache_folder() -> Path:
    """The Maven cache that jgo uses on this machine. Raises: DownloadFailed without the embedded extra."""
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise DownloadFailed(
            "to fetch a server Clew needs the package jgo: pip install 'clew[embedded]', or name a server of your own"
        ) from error
    return MavenContext().repo_cache


def fetch(jars: Sequence[Jar], cache: Path, progress: Progress | None = None) -> list[Path]:
    """Fetch what the cache lacks, compare every SHA-256, and return the paths in the order of `jars`.

    A download is staged beside the cache and moved in only when its hash is right.
    Raises: DownloadFailed, HashMismatch, DiskFull.
    """
    missing = [jar for jar in jars if not jar.path(cache).exists()]
    if missing:
        require_space(cache)
    cache.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".clew-", dir=cache) as staging,
        (progress or Silent()).step("Fetching the server's jars", len(jars)) as advance,
    ):

        def one(jar: Jar) -> None:
            _check(jar, jar.path(cache)) if jar.path(cache).exists() else _download(jar, cache, Path(staging))
            advance(1)

        _in_threads(one, jars)
    return [jar.path(cache) for jar in jars]


def require_space(folder: Path, needed: int = NEEDED_BYTES) -> None:
    """Raises: DiskFull, when the disk of `folder` has less than `needed` bytes free."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFull(
            f"the disk of {folder} has {free >> 20} MB free, and the server needs {needed >> 20} MB; make room"
        )


def faults(jars: Sequence[Jar], cache: Path) -> list[str]:
    """What is wrong with the cached jars, one line each; hashes every byte."""
    found: list[str] = []
    for jar in jars:
        path = jar.path(cache)
        if not path.exists():
            found.append(f"{jar} is missing")
        elif _sha256(path) != jar.sha256:
            found.append(f"{jar} is not what the lock file says: {path}")
    return found


def _in_threads(work: Callable[[Jar], None], jars: Sequence[Jar]) -> None:
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="jars")
    try:
        for _ in pool.map(work, jars):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


def _download(jar: Jar, cache: Path, staging: Path) -> None:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=staging, timeout=TIMEOUT_S)
    try:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        staged = component.artifact(jar.classifier, "jar").resolve()
        _check(jar, staged)
        jar.path(cache).parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged, jar.path(cache))
    except ClewError:
        raise
    except Exception as error:  # jgo raises RuntimeError, requests its own OSErrors
        raise _translated(jar, error) from error


def _translated(jar: Jar, error: Exception) -> ClewError:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DiskFull(f"no space left on the disk while fetching {jar}; make room and try again")
    return DownloadFailed(
        f"{jar} could not be fetched ({type(error).__name__}); check the network and try again, "
        "what has arrived is kept"
    )


def _check(jar: Jar, path: Path) -> None:
    found = _sha256(path)
    if found != jar.sha256:
        raise HashMismatch(
            f"{jar} has SHA-256 {found}, and the lock file says {jar.sha256}; delete {path} and try again"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked_before(stamp: Path, lock: Path) -> list[Path] | None:
    """The jars that the stamp remembers, or None when lock or any jar has changed since."""
    try:
        remembered = json.loads(stamp.read_text())
        if remembered["lock"] != _sha256(lock):
            return None
        return [Path(path) for path, size, time in remembered["jars"] if _as_remembered(Path(path), size, time)]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_remembered(path: Path, size: int, time: int) -> bool:
    if _size_and_time(path) != (size, time):
        raise ValueError(path)
    return True


def _size_and_time(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _write_stamp(stamp: Path, paths: Sequence[Path], lock: Path) -> None:
    rows = [(str(path), *_size_and_time(path)) for path in paths]
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(json.dumps({"lock": _sha256(lock), "jars": rows}))
