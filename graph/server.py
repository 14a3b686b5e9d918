"""The embedded Neo4j: a real server on this machine, without Docker.

`up` fetches it once, gives it a random password, starts it apart from the caller and waits until Bolt answers;
a second `up` finds the running one. Everything lies in the folder `neo4j` of the home, but for the jars.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neo4j.exceptions import AuthError

from domain.errors import GraphUnavailable, ServerBusy, StartFailed
from domain.progress import Progress, Silent
from graph import bolt, home, jars, java, process
from graph.doctor import Check, doctor
from graph.home import Connection, ServerConfig
from graph.process import Running

__all__ = [
    "Check",
    "Connection",
    "ServerConfig",
    "ServerStatus",
    "admin",
    "connection",
    "doctor",
    "down",
    "prepare",
    "status",
    "stopped",
    "up",
]

POLL_S = 0.2


@dataclass(frozen=True)
class ServerStatus:
    """The server as seen from outside. version is None when none answers."""

    running: bool
    pid: int | None
    uri: str
    browser: str
    username: str
    password_file: Path
    version: str | None


def up(config: ServerConfig, progress: Progress | None = None) -> Connection:
    """Have a server that answers: the running one of this home, or a new one.

    Whatever an earlier, interrupted `up` left undone is completed. A running server keeps the ports of its start.
    Raises: PortTaken, JavaMissing, DownloadFailed, HashMismatch, DiskFull, ServerBusy, StartFailed.
    """
    watcher = progress or Silent()
    with home.locked(config):
        running = process.find(config) or _start(config, watcher)
        with watcher.step("Starting Neo4j"):
            _await_bolt(config, running)
        return bolt.connection_to(config, running)


def prepare(config: ServerConfig, progress: Progress | None = None) -> None:
    """Fetch what is missing and make what a first start needs, so that no later step waits for the network.

    Raises: JavaMissing, DownloadFailed, HashMismatch, DiskFull, ServerBusy.
    """
    with home.locked(config):
        _prepared(config, progress or Silent())


def down(config: ServerConfig, *, timeout_s: float = 30) -> bool:
    """Stop the server of this home; True when one was stopped. Raises: ServerBusy."""
    if not config.folder.exists():
        return False
    with home.locked(config):
        running = process.find(config)
        if running:
            process.stop(running, timeout_s)
        config.pid_file.unlink(missing_ok=True)
        return running is not None


def status(config: ServerConfig) -> ServerStatus:
    """Look, without waiting for anybody's lock."""
    running = process.find(config)
    return ServerStatus(
        running=running is not None,
        pid=running.pid if running else None,
        uri=bolt.uri(running.bolt_port if running else config.bolt_port),
        browser=bolt.browser(running.http_port if running else config.http_port),
        username=home.USERNAME,
        password_file=config.password_file,
        version=_version(config, running) if running else None,
    )


def connection(config: ServerConfig) -> Connection:
    """How to reach the running server. Raises: GraphUnavailable when none runs."""
    running = process.find(config)
    if running is None or not config.password_file.exists():
        raise GraphUnavailable(f"no Neo4j runs in {config.folder}; run `clew up`")
    return bolt.connection_to(config, running)


def admin(config: ServerConfig, *arguments: str) -> None:
    """Run Neo4j's administration tool while the server is stopped.

    Raises: ServerBusy while it runs, StartFailed with the last lines of output when the tool fails.
    """
    with stopped(config):
        process.run_admin(config, _prepared(config, Silent()), arguments)


@contextmanager
def stopped(config: ServerConfig) -> Generator[None, None, None]:
    """Hold the home while its server is, and stays, stopped. Raises: ServerBusy."""
    with home.locked(config):
        running = process.find(config)
        if running:
            raise ServerBusy(f"Neo4j runs in {config.folder} (process {running.pid}); run `clew down` first")
        yield


def _start(config: ServerConfig, progress: Progress) -> Running:
    bolt.require_port(config.bolt_port, "CLEW_NEO4J_BOLT_PORT")
    bolt.require_port(config.http_port, "CLEW_NEO4J_HTTP_PORT")
    paths = _prepared(config, progress)
    home.make_password(config)
    if not home.started_before(config):
        # Done again when an earlier `up` was killed after it: until the first start it only rewrites one file.
        # "@" has the tool read the file, so that the password is on no command line.
        process.run_admin(config, paths, ["dbms", "set-initial-password", f"@{config.password_file}"])
    found = java.find_java(config.java_home)
    command = java.server_command(found, paths, config.folder, heap=config.heap, marks=process.marks(config))
    return process.start(config, command)


def _prepared(config: ServerConfig, progress: Progress) -> list[Path]:
    java.find_java(config.java_home)  # before 191 MB are fetched for nothing
    paths = jars.ensure(config.jar_stamp, progress)
    home.lay_out(config)
    return paths


def _await_bolt(config: ServerConfig, running: Running) -> None:
    give_up_at = time.monotonic() + config.start_timeout_s
    while not _answers(config, running):
        if not process.alive(running.pid):
            config.pid_file.unlink(missing_ok=True)
            raise process.death(config)
        if time.monotonic() > give_up_at:
            # It is left alone: after a crash a large store needs its time to recover.
            raise StartFailed(
                f"Neo4j (process {running.pid}) does not answer after {config.start_timeout_s:g} s; run `clew up` to "
                f"keep waiting, or `clew down`; its log is {config.console_log}"
            )
        time.sleep(POLL_S)


def _answers(config: ServerConfig, running: Running) -> bool:
    if not bolt.listens(running.bolt_port):
        return False
    try:
        return bolt.version(bolt.connection_to(config, running)) is not None
    except AuthError as error:
        raise StartFailed(
            f"Neo4j refuses the password in {config.password_file}; put the right one there, "
            f"or delete {config.folder} and load everything again"
        ) from error


def _version(config: ServerConfig, running: Running) -> str | None:
    try:
        return bolt.version(bolt.connection_to(config, running))
    except (AuthError, OSError):  # a wrong or a missing password: `doctor` tells which
        return None
