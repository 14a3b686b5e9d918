"""What may keep the embedded Neo4j from working, and what to do about it. Looks, and changes nothing."""

import os
import re
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from neo4j.exceptions import AuthError

from domain.errors import ClewError
from graph import bolt, home, jars, java, process
from graph.home import ServerConfig

OVERHEAD_BYTES = 300 * 1024 * 1024  # the JVM beside heap and page cache


@dataclass(frozen=True)
class Check:
    """One finding. advice is empty when nothing needs doing."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def doctor(config: ServerConfig) -> list[Check]:
    """Every check, in the order in which trouble would show. Hashes all jars: about a second."""
    checks: list[tuple[str, Callable[[ServerConfig], Check]]] = [
        ("java", _java),
        ("jars", _jars),
        ("bolt port", lambda c: _port("bolt port", c, c.bolt_port, "CLEW_NEO4J_BOLT_PORT")),
        ("http port", lambda c: _port("http port", c, c.http_port, "CLEW_NEO4J_HTTP_PORT")),
        ("disk", _disk),
        ("memory", _memory),
        ("data", _data),
        ("password", _password),
        ("server", _server),
    ]
    return [_guarded(name, check, config) for name, check in checks]


def _guarded(name: str, check: Callable[[ServerConfig], Check], config: ServerConfig) -> Check:
    """One check's own failure is a finding, and does not hide the others."""
    try:
        return check(config)
    except ClewError as error:
        what, _, advice = error.message.rpartition("; ")
        return Check(name, False, what or advice, advice)
    except OSError as error:
        return Check(name, False, str(error), f"see that {error.filename or config.folder} can be read and written")


def _java(config: ServerConfig) -> Check:
    found = java.find_java(config.java_home)
    return Check("java", True, f"Java {found.version} at {found.executable}")


def _jars(_: ServerConfig) -> Check:
    rows = jars.locked()
    faults = jars.faults(rows, jars.cache_folder())
    if not faults:
        return Check("jars", True, f"{len(rows)} jars of Neo4j {jars.neo4j_version(rows)}, every SHA-256 as locked")
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    wrong = any("lock file" in fault for fault in faults)
    return Check(
        "jars", False, faults[0] + more, "delete the wrong ones and run `clew up`" if wrong else "run `clew up`"
    )


def _port(name: str, config: ServerConfig, port: int, setting: str) -> Check:
    running = process.find(config)
    if running and port in (running.bolt_port, running.http_port):
        return Check(name, True, f"{port} is used by our server")
    bolt.require_port(port, setting)
    if running:
        advice = "run `clew down`, then `clew up`"
        return Check(name, False, f"{port} is set, but the running server was started with another", advice)
    return Check(name, True, f"{port} is free")


def _disk(config: ServerConfig) -> Check:
    folder = config.folder
    while not folder.exists():
        folder = folder.parent
    jars.require_space(folder)
    return Check("disk", True, f"{shutil.disk_usage(folder).free >> 20} MB free at {folder}")


def _memory(config: ServerConfig) -> Check:
    if process.find(config):
        return Check("memory", True, "the server runs")
    needed = _bytes(config.heap) + _bytes(config.page_cache) + OVERHEAD_BYTES
    free = psutil.virtual_memory().available
    detail = f"{free >> 20} MB available, the server takes up to {needed >> 20} MB"
    advice = "" if free >= needed else "set CLEW_NEO4J_HEAP and CLEW_NEO4J_PAGE_CACHE lower, or close other programs"
    return Check("memory", free >= needed, detail, advice)


def _bytes(size: str) -> int:
    """The bytes of a size such as 512m or 1g; 0 for what Neo4j will refuse itself."""
    match = re.fullmatch(r"(\d+)([kmg]?)", size.lower())
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2]] if match else 0


def _data(config: ServerConfig) -> Check:
    data = config.folder / "data"
    if not data.exists():
        return Check("data", True, "none yet")
    if config.import_marker.exists():
        return Check("data", False, f"an import into {data} did not finish", "run the same `clew ingest` again")
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Check("data", False, f"{data} cannot be written", "give it back to the user who runs clew")
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    return Check("data", True, f"{size >> 20} MB in {data}")


def _password(config: ServerConfig) -> Check:
    file = config.password_file
    if not file.exists():
        lost = home.started_before(config)
        advice = f"put {file} back, or delete {config.folder} and load everything again" if lost else ""
        return Check("password", not lost, "lost" if lost else "none yet; `clew up` makes it", advice)
    mode = stat.S_IMODE(file.stat().st_mode)
    advice = "" if mode == 0o600 else f"chmod 600 {file}"
    return Check("password", mode == 0o600, f"{file} has mode {mode:04o}", advice)


def _server(config: ServerConfig) -> Check:
    running = process.find(config)
    if running is None:
        return Check("server", True, "not running", "run `clew up`")
    try:
        version = bolt.version(bolt.connection_to(config, running))
    except AuthError:
        return Check("server", False, "it refuses our password", f"put the right one into {config.password_file}")
    if version is None:
        advice = f"wait, or run `clew down`, then `clew up`; its log is {config.console_log}"
        return Check("server", False, f"process {running.pid} does not answer", advice)
    expected = jars.neo4j_version(jars.locked())
    advice = "" if version == expected else "run `clew down`, then `clew up`"
    return Check("server", not advice, f"Neo4j {version} answers at {bolt.uri(running.bolt_port)}", advice)
