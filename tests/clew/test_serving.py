"""`clew serve` and its writer as processes: ready, supervised, and ended by one signal."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from clew import lease
from domain.errors import ServerBusy

READY_S = 60


@pytest.fixture
def serve(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `clew serve` and waits until it answers."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "out").open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "clew", "serve", *arguments],
                env=environment,
                cwd=tmp_path,
                stdout=output,
                stderr=output,
            )
        started.append(process)
        _until(lambda: _answers(environment), lambda: (tmp_path / "out").read_text())
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_the_api_and_its_writer_with_code_0(
    serve: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, number: signal.Signals
) -> None:
    process = serve()
    writer = _writer_of(process)
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert not writer.is_running()
    assert "Traceback" not in (tmp_path / "out").read_text()


def test_a_killed_writer_is_started_again(serve: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = serve()
    first = _writer_of(process)
    first.kill()
    _until(lambda: _writer_of(process).pid != first.pid, lambda: "no other writer was started")


def test_a_writer_ends_when_its_server_was_killed(serve: Callable[..., subprocess.Popen[bytes]]) -> None:
    process = serve()
    writer = _writer_of(process)
    process.kill()
    process.wait()
    writer.wait(timeout=15)


def test_events_are_taken_with_neither_neo4j_nor_a_model(
    serve: Callable[..., subprocess.Popen[bytes]], environment: dict[str, str]
) -> None:
    serve("--no-writer")
    event = {"events": [{"user_id": "ann", "item_id": "pulp", "kind": "purchase"}]}
    assert _post(environment, "/v1/events", event) == {"accepted": 1, "duplicated": 0, "rejected": []}
    assert _post(environment, "/recommend", {"user_id": "ann"})["items"] == []


def test_serving_works_where_torch_cannot_be_imported(environment: dict[str, str], tmp_path: Path) -> None:
    """In a process where `import torch` fails, the whole serving path is built and answers."""
    program = """
        import sys
        sys.modules["torch"] = sys.modules["torch_geometric"] = None
        import os, signal, threading
        from clew.serve import serve
        from clew.settings import load_settings
        from domain.progress import Silent
        def ready(serving):
            print("ready", serving.url)
            os.kill(os.getpid(), signal.SIGTERM)
        serve(load_settings(), Silent(), ready, with_writer=False)
        print("ended")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split() == ["ready", f"http://127.0.0.1:{environment['CLEW_PORT']}", "ended"], done.stderr


def test_the_lease_admits_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "home" / "writer.lock"
    assert not lease.is_held(path)
    with lease.held(path, wait=False, stopping=lambda: False) as mine:
        assert mine
        holder = "from clew import lease; import pathlib, sys; sys.exit(lease.is_held(pathlib.Path(sys.argv[1])))"
        assert subprocess.call([sys.executable, "-c", holder, str(path)]) == 1
    assert not lease.is_held(path)


def test_a_second_writer_is_refused_or_waits(
    clew: Callable[..., subprocess.CompletedProcess[str]], environment: dict[str, str]
) -> None:
    path = Path(environment["CLEW_HOME"]) / "writer.lock"
    with lease.held(path, wait=False, stopping=lambda: False):
        done = clew("writer")
        assert (done.returncode, done.stderr.split(":")[1].strip()) == (1, ServerBusy.code)
        command = [sys.executable, "-m", "clew", "writer", "--wait"]
        waiting = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        assert waiting.stderr is not None
        assert b"standing by" in waiting.stderr.readline()
        assert waiting.poll() is None
        waiting.stderr.close()
    waiting.send_signal(signal.SIGTERM)
    assert waiting.wait(timeout=15) == 0


def _answers(environment: dict[str, str]) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{environment['CLEW_PORT']}/health/live", timeout=2):
            return True
    except OSError:
        return False


def _post(environment: dict[str, str], path: str, body: object) -> dict[str, object]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{environment['CLEW_PORT']}{path}",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _writer_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = [child for child in psutil.Process(process.pid).children() if _runs_a_writer(child)]
        return bool(found)

    _until(look, lambda: f"process {process.pid} of {os.getpid()} has no writer")
    return found[0]


def _runs_a_writer(process: psutil.Process) -> bool:
    try:
        return "writer" in process.cmdline()
    except psutil.NoSuchProcess:  # ended between the listing and the look, a zombie included
        return False


def _until(holds: Callable[[], bool], story: Callable[[], str]) -> None:
    deadline = time.monotonic() + READY_S
    while not holds():
        assert time.monotonic() < deadline, story()
        time.sleep(0.1)
