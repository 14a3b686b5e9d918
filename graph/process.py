"""The server as a process: found again, started apart from us, stopped, and its death explained."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from domain.errors import DiskFull, PortTaken, ServerBusy, ServerError, StartFailed
from graph import home, java
from graph.home import ServerConfig

SAME_START_S = 1.0  # psutil gives a process's start to 10 ms; a recycled pid is seconds away


@dataclass(frozen=True)
class Running:
    """A server process of ours, with the ports it was started with."""

    pid: int
    bolt_port: int
    http_port: int


def find(config: ServerConfig) -> Running | None:
    """The server that runs in this home, or None.

    The pid file names it. When that is gone or stale (another process has the pid), all processes are
    looked at, so that a server whose starter was killed at a bad moment is found as well.
    """
    return _from_pid_file(config) or _from_all_processes(config)


def start(config: ServerConfig, command: list[str]) -> Running:
    """Start the server in a session of its own, so that it outlives us and our terminal's Ctrl-C."""
    pid = spawn(command, java.environment(config.folder), config.console_log)
    try:
        created = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        raise death(config) from None
    home.replace_file(config.pid_file, json.dumps({"pid": pid, "created": created}))
    return Running(pid, config.bolt_port, config.http_port)


def spawn(command: list[str], environment: dict[str, str], console_log: Path) -> int:
    """Starts a program in a session of its own, its output in a file that is begun anew. Returns its pid."""
    # posix_spawn and not Popen: nobody here waits for this child, and an abandoned Popen warns.
    return os.posix_spawn(
        command[0],
        command,
        environment,
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(console_log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


def marks(config: ServerConfig) -> list[str]:
    """The flags on the command line by which `find` knows the ports again."""
    return [f"-Dclew.bolt_port={config.bolt_port}", f"-Dclew.http_port={config.http_port}"]


def stop(running: Running, timeout_s: float) -> None:
    """Ask it to stop, wait, and kill it when it does not."""
    end(running.pid, timeout_s)


def end(pid: int, timeout_s: float) -> None:
    """Ask a process to stop, wait, and kill it when it does not. Raises: ServerBusy for one of another user."""
    try:
        process = psutil.Process(pid)
        process.send_signal(signal.SIGTERM)
        if not _ended(pid, timeout_s):
            process.kill()
            _ended(pid, 10)
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied as error:
        raise ServerBusy(f"the server process {pid} belongs to another user; stop it as that user") from error


def _ended(pid: int, timeout_s: float) -> bool:
    """Waits for the end. A zombie has ended: its starter, which still runs, has not asked for its exit code yet."""
    give_up_at = time.monotonic() + timeout_s
    while alive(pid):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """Whether any of it still runs: a process whose first thread has ended keeps its ports until the others have."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
    except psutil.NoSuchProcess:
        return False


def run_admin(config: ServerConfig, jars: Sequence[Path], arguments: Sequence[str]) -> None:
    """Run Neo4j's administration tool and wait for it. Raises: StartFailed with the last lines of its output."""
    found = java.find_java(config.java_home)
    command = java.admin_command(found, jars, heap=config.heap, arguments=arguments)
    result = subprocess.run(
        command,
        env=java.environment(config.folder),
        cwd=config.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if result.returncode != 0:
        name = " ".join(arguments[:2])
        raise _explained(config, _complaint(result.stdout), f"neo4j-admin {name} failed ({result.returncode})")


def death(config: ServerConfig) -> ServerError:
    """Why the server died while it started, from its log."""
    try:
        lines = config.console_log.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    return _explained(config, lines, f"Neo4j stopped while starting (log: {config.console_log})")


def _explained(config: ServerConfig, lines: Sequence[str], what: str) -> ServerError:
    text = "\n".join(lines)
    if re.search(r"Address (\S+ )?(is )?already in use|BindException", text):
        return PortTaken(
            f"{what}: port {config.bolt_port} or {config.http_port} is taken; "
            "set CLEW_NEO4J_BOLT_PORT or CLEW_NEO4J_HTTP_PORT to a free one"
        )
    if "No space left on device" in text:
        return DiskFull(f"{what}: no space left on the disk of {config.folder}; make room and try again")
    if re.search(r"StoreLockException|FileLockException|Lock file has been locked", text):
        return ServerBusy(f"{what}: another process holds the store in {config.folder}; stop it first")
    if re.search(r"Could not reserve enough space|insufficient memory|exceeds physical memory|OutOfMemoryError", text):
        return StartFailed(f"{what}: too little memory; make room, or set CLEW_NEO4J_HEAP (now {config.heap}) lower")
    return StartFailed(f"{what}:\n" + "\n".join(_meaningful(lines)))


def _complaint(output: str) -> list[str]:
    """What the administration tool says between its rules at the end, or first of all when it was called wrongly."""
    lines = output.splitlines()
    if "Command Failed" in lines:
        return [line for line in lines[lines.index("Command Failed") + 1 :] if not line.startswith("-----")]
    return lines[:1] if any(line.startswith("Usage:") for line in lines) else lines


def _meaningful(lines: Sequence[str], count: int = 6) -> list[str]:
    """The last errors of a log, else its last lines, without Java's stack frames."""
    spoken = [line.strip() for line in lines if line.strip() and not re.match(r"\s+(at |\.\.\. )", line)]
    errors = [line for line in spoken if re.search(r" ERROR |Exception|Caused by|^Error", line)]
    return (spoken if len(spoken) <= count else errors or spoken)[-count:] or ["it said nothing"]


def _from_pid_file(config: ServerConfig) -> Running | None:
    try:
        noted = json.loads(config.pid_file.read_text())
        process = psutil.Process(noted["pid"])
        if abs(process.create_time() - noted["created"]) > SAME_START_S:
            return None
        return _described(config, process)
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None


def _from_all_processes(config: ServerConfig) -> Running | None:
    for process in psutil.process_iter():
        try:
            found = _described(config, process)
        except psutil.Error:
            continue
        if found:
            return found
    return None


def _described(config: ServerConfig, process: psutil.Process) -> Running | None:
    """The process as a server of this home; None when it is something else, or dead."""
    command = process.cmdline()
    if java.SERVER_CLASS not in command or f"--home-dir={config.folder}" not in command:
        return None
    if process.status() == psutil.STATUS_ZOMBIE:
        return None
    ports = [
        int(part.rpartition("=")[2]) for part in command if part.startswith(("-Dclew.bolt_port=", "-Dclew.http_port="))
    ]
    return Running(process.pid, *ports) if len(ports) == 2 else None
