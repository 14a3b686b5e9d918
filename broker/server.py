"""A real Kafka on this machine, without Docker, for developers and tests. Production names its own in CLEW_EVENTS.

`up` fetches it once, starts it apart from the caller and waits until it is ready; a second `up` finds the running one.
"""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from broker import home
from broker.home import BrokerConfig
from domain.errors import ServerError, StartFailed
from domain.progress import Progress, Silent
from graph import jars, java, process
from graph.bolt import require_port
from graph.home import locked_folder, replace_file

__all__ = ["BrokerConfig", "BrokerStatus", "down", "prepare", "status", "up"]

LOCK = Path(__file__).with_name("kafka.lock.toml")
SERVER_CLASS = "kafka.Kafka"
STORAGE_CLASS = "kafka.tools.StorageTool"
READY = "Kafka Server started"
POLL_S = 0.1


@dataclass(frozen=True)
class BrokerStatus:
    """The broker as seen from outside. address: for CLEW_EVENTS=kafka://ADDRESS/TOPIC."""

    running: bool
    pid: int | None
    address: str


def up(config: BrokerConfig, progress: Progress | None = None) -> BrokerStatus:
    """Have a broker that is ready: the running one of this home, or a new one.

    Raises: PortTaken, JavaMissing, DownloadFailed, HashMismatch, DiskFull, ServerBusy, StartFailed.
    """
    watcher = progress or Silent()
    with locked_folder(config.folder, config.lock_timeout_s):
        pid = _find(config)
        if pid is None:
            pid = _start(config, watcher)
        with watcher.step("Starting Kafka"):
            _await_ready(config, pid)
    return status(config)


def prepare(config: BrokerConfig, progress: Progress | None = None) -> list[Path]:
    """Fetch what is missing. Returns the jars. Raises: JavaMissing, DownloadFailed, HashMismatch, DiskFull."""
    java.find_java(config.java_home)
    return jars.ensure(config.jar_stamp, progress, lock=LOCK)


def down(config: BrokerConfig, *, timeout_s: float = 30) -> bool:
    """Stop the broker of this home; True when one was stopped. Data stays. Raises: ServerBusy."""
    if not config.folder.exists():
        return False
    with locked_folder(config.folder, config.lock_timeout_s):
        pid = _find(config)
        if pid is not None:
            process.end(pid, timeout_s)
        config.pid_file.unlink(missing_ok=True)
        return pid is not None


def status(config: BrokerConfig) -> BrokerStatus:
    """Look, without waiting for anybody's lock."""
    pid = _find(config)
    return BrokerStatus(running=pid is not None, pid=pid, address=f"127.0.0.1:{config.port}")


def _start(config: BrokerConfig, progress: Progress) -> int:
    for port in (config.port, config.port + 1):
        require_port(port, "CLEW_KAFKA_PORT")
    paths = prepare(config, progress)
    home.lay_out(config)
    if not (config.data / "meta.properties").exists():
        _format(config, paths)
    command = _command(config, paths, SERVER_CLASS, [str(config.properties_file)])
    pid = process.spawn(command, _environment(), config.console_log)
    replace_file(config.pid_file, json.dumps({"pid": pid}))
    return pid


def _format(config: BrokerConfig, paths: Sequence[Path]) -> None:
    """Makes an empty store. Raises: StartFailed with what the tool says."""
    arguments = ["format", "-t", home.new_cluster_id(), "-c", str(config.properties_file), "--ignore-formatted"]
    command = _command(config, paths, STORAGE_CLASS, arguments)
    done = subprocess.run(
        command, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    if done.returncode != 0:
        raise StartFailed(f"Kafka could not make a store in {config.data}: {(done.stdout + done.stderr)[-500:]}")


def _command(config: BrokerConfig, paths: Sequence[Path], main_class: str, arguments: Sequence[str]) -> list[str]:
    return [
        str(java.find_java(config.java_home).executable),
        f"-Xmx{config.heap}",
        "-XX:+UseSerialGC",  # the smallest: one developer's machine
        "-XX:TieredStopAtLevel=1",  # ready a second sooner, and far from being the bottleneck
        "-Dfile.encoding=UTF-8",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-cp",
        ":".join(map(str, paths)),
        main_class,
        *arguments,
    ]


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C.UTF-8"}


def _await_ready(config: BrokerConfig, pid: int) -> None:
    give_up_at = time.monotonic() + config.start_timeout_s
    while READY not in _console(config):
        if not process.alive(pid):
            config.pid_file.unlink(missing_ok=True)
            raise _death(config)
        if time.monotonic() > give_up_at:
            raise StartFailed(
                f"Kafka (process {pid}) is not ready after {config.start_timeout_s:g} s; run `clew kafka up` to keep "
                f"waiting, or `clew kafka down`; its log is {config.console_log}"
            )
        time.sleep(POLL_S)


def _death(config: BrokerConfig) -> ServerError:
    lines = [line for line in _console(config).splitlines() if "ERROR" in line or "Exception" in line]
    told = "\n".join(lines[:4]) or "it said nothing"
    return StartFailed(f"Kafka stopped while starting (log: {config.console_log}):\n{told}")


def _console(config: BrokerConfig) -> str:
    try:
        return config.console_log.read_text(errors="replace")
    except OSError:
        return ""


def _find(config: BrokerConfig) -> int | None:
    """The broker that runs in this home: named by the pid file, or found among all processes."""
    noted = _noted(config)
    if noted is not None and _is_ours(config, noted):
        return noted
    return next((pid for pid in psutil.pids() if _is_ours(config, pid)), None)


def _noted(config: BrokerConfig) -> int | None:
    try:
        return int(json.loads(config.pid_file.read_text())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_ours(config: BrokerConfig, pid: int) -> bool:
    try:
        return process.alive(pid) and psutil.Process(pid).cmdline()[-2:] == [SERVER_CLASS, str(config.properties_file)]
    except psutil.Error:
        return False
