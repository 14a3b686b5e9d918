"""The jars are those of the lock file or none: whatever the network or the cache hands out."""

import errno
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from jgo.maven import _core

from domain.errors import DiskFull, DownloadFailed, HashMismatch
from graph import jars, relock
from graph.jars import Jar
from graph.server import Connection, ServerConfig

Running = tuple[ServerConfig, Connection]


class Recorded:
    """A Progress that remembers."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self._lock = threading.Lock()

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        self.total = total
        yield self._advance

    def _advance(self, count: int) -> None:
        with self._lock:
            self.done += count


@pytest.fixture(scope="session")
def small(server: Running) -> list[Jar]:
    """The three smallest jars of the lock; the running server has them in the machine's cache."""
    cache = jars.cache_folder()
    return sorted(jars.locked(), key=lambda jar: (jar.path(cache).stat().st_size, str(jar)))[:3]


@pytest.fixture
def registry(tmp_path: Path, small: list[Jar], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A Maven repository on this machine that serves the small jars from the folder returned."""
    folder = tmp_path / "registry"
    for jar in small:
        jar.path(folder).parent.mkdir(parents=True)
        shutil.copy(jar.path(jars.cache_folder()), jar.path(folder))

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        point_at(monkeypatch, web.server_port)
        yield folder
        web.shutdown()


def point_at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setitem(_core.DEFAULT_REMOTE_REPOS, "central", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_the_lock_names_each_jar_once_and_no_address() -> None:
    rows = jars.locked()
    assert len(rows) == len({str(jar) for jar in rows}) == 238
    assert all(len(jar.sha256) == 64 for jar in rows)
    assert "://" not in jars.LOCK.read_text()
    assert jars.neo4j_version(rows) == "2026.08.1"


def test_the_lock_is_as_relock_writes_it() -> None:
    rows = jars.locked()
    assert relock.lock_text(relock.roots_of(), reversed(rows)) == jars.LOCK.read_text()


def test_an_empty_cache_is_filled_and_progress_counts_every_jar(
    registry: Path, small: list[Jar], tmp_path: Path
) -> None:
    seen = Recorded()
    found = jars.fetch(small, tmp_path / "cache", seen)
    assert [path.read_bytes() for path in found] == [jar.path(registry).read_bytes() for jar in small]
    assert (seen.total, seen.done) == (3, 3)


def test_a_tampered_download_is_refused_by_name_and_never_enters_the_cache(
    registry: Path, small: list[Jar], tmp_path: Path
) -> None:
    bad = small[1]
    bad.path(registry).write_bytes(b"something else")
    with pytest.raises(HashMismatch, match=str(bad)):
        jars.fetch(small, tmp_path / "cache")
    assert not bad.path(tmp_path / "cache").exists()
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.name.startswith(".")] == []


def test_a_tampered_jar_in_the_cache_is_refused_by_name(registry: Path, small: list[Jar], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    jars.fetch(small, cache)
    small[0].path(cache).write_bytes(b"x")
    with pytest.raises(HashMismatch, match=f"{small[0]} .* delete {small[0].path(cache)}"):
        jars.fetch(small, cache)
    assert jars.faults(small, cache) == [
        f"{small[0]} is not what the lock file says: {small[0].path(cache)}",
    ]


def test_a_changed_row_of_the_lock_is_a_mismatch(small: list[Jar]) -> None:
    with pytest.raises(HashMismatch, match="0000"):
        jars.fetch([replace(small[0], sha256="0" * 64)], jars.cache_folder())


def test_a_jar_that_the_registry_does_not_have_is_named(registry: Path, small: list[Jar], tmp_path: Path) -> None:
    small[2].path(registry).unlink()
    with pytest.raises(DownloadFailed, match=str(small[2])):
        jars.fetch(small, tmp_path / "cache")


def test_without_a_network_the_download_fails_with_advice(
    small: list[Jar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_at(monkeypatch, 9)
    with pytest.raises(DownloadFailed, match="check the network"):
        jars.fetch(small, tmp_path)


def test_without_room_nothing_is_fetched(small: list[Jar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DiskFull, match="make room"):
        jars.require_space(tmp_path / "not" / "there", needed=1 << 60)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_core.Artifact, "resolve", full)
    with pytest.raises(DiskFull, match="make room"):
        jars.fetch(small, tmp_path)


def test_without_jgo_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jgo.maven", None)
    with pytest.raises(DownloadFailed, match=r"clew\[embedded\]"):
        jars.cache_folder()


def test_checked_jars_are_not_hashed_or_fetched_again(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("fetched again")

    monkeypatch.setattr(jars, "fetch", never)
    assert len(jars.ensure(server[0].jar_stamp)) == 238


def test_a_jar_that_changed_since_its_check_is_checked_again(
    registry: Path, small: list[Jar], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, stamp = tmp_path / "cache", tmp_path / "run" / "stamp.json"
    monkeypatch.setattr(jars, "locked", lambda lock: small)
    monkeypatch.setattr(jars, "cache_folder", lambda: cache)
    paths = jars.ensure(stamp)
    paths[0].write_bytes(b"x")
    with pytest.raises(HashMismatch):
        jars.ensure(stamp)
    paths[0].unlink()
    assert jars.ensure(stamp) == paths
