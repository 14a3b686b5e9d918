"""A log file that is torn, flipped or has no room, and a clock that jumps: a clear error, nothing acknowledged lost."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clew.writer import Turns, drain_once
from domain.errors import LogDamaged, LogFull
from domain.records import Event
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from ingest.log import Log
from tests.graph_state import remove_nodes
from tests.servers import ask
from tests.world import DECLARATION

DISK = 1_500_000  # bytes of the small disk


def event(name: str, number: int) -> Event:
    return Event(event_id=f"{name}{number}", user_id="ann", item_id=f"i{number % 9}", kind="view", at=1_600_000_000_000)


@pytest.fixture
def store(server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    _, connection = server
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as made:
        made.install_schema(DECLARATION)
        yield made
    remove_nodes(connection)


def filled(path: Path, count: int = 3_000) -> None:
    """A log of so many events, all of them in its main file."""
    with Log(path) as log:
        log.append([event("a", number) for number in range(count)])


def fill(log: Log) -> int:
    """Appends until there is no room. Returns how many events were acknowledged."""
    for acknowledged in range(0, 1_000_000, 100):
        try:
            log.append([event("a", acknowledged + number) for number in range(100)])
        except LogFull:
            return acknowledged
    raise AssertionError("the disk does not fill")


def killed(path: Path, name: str, count: int) -> None:
    """A process that appends events one by one and is killed: they are in the write-ahead file."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom ingest.log import Log\nfrom domain.records import Event\n"
        "log = Log(Path(sys.argv[1]))\n"
        "for number in range(int(sys.argv[3])):\n"
        "    log.append([Event(event_id=f'{sys.argv[2]}{number}', user_id='ann', item_id='i', kind='view', at=1)])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path), name, str(count)], check=False)
    assert done.returncode == -9


def test_a_killed_process_leaves_every_acknowledged_event(tmp_path: Path) -> None:
    """Also when the write-ahead file ends in the middle of what was not committed yet."""
    path = tmp_path / "log.db"
    killed(path, "k", 20)
    with path.with_name("log.db-wal").open("ab") as torn:
        torn.write(b"\x00\x07" * 900)
    with Log(path) as log:
        assert [record.event_id for _, record in log.read(0)] == [f"k{number}" for number in range(20)]  # type: ignore[union-attr]


@pytest.mark.parametrize("damage", ["cut", "flipped", "no log"])
def test_a_damaged_log_is_named_and_nothing_is_acknowledged(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "log.db"
    filled(path)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        path.write_bytes(content[:4096] + bytes(byte ^ 0xFF for byte in content[4096:]))
    else:
        path.write_bytes(b"what is this " * 1_000)
    with pytest.raises(LogDamaged, match=r"log\.db is damaged.*restore it"), Log(path) as log:
        log.append([event("b", 1)])


def test_a_server_whose_log_is_damaged_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "log" / "clew.db"
    filled(path)
    path.write_bytes(path.read_bytes()[:5_000])
    done = subprocess.run(
        [sys.executable, "-m", "clew", "serve", "--no-writer"],
        env={**os.environ, "CLEW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "log_damaged" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_what_a_flipped_write_ahead_file_loses_stays_in_the_graph_and_new_events_follow(
    tmp_path: Path, store: GraphStore
) -> None:
    """SQLite drops what comes after a flipped byte. Offsets begin again below the graph's: nothing is passed over."""
    path = tmp_path / "log.db"
    killed(path, "k", 30)
    wal = path.with_name("log.db-wal")
    kept = wal.read_bytes()
    copy = tmp_path / "copy" / "log.db"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    copy.with_name("log.db-wal").write_bytes(kept)
    with Log(copy) as log:
        assert drain_once(log, store) == 30
    half = len(kept) // 2
    wal.write_bytes(kept[:half] + bytes(byte ^ 0x55 for byte in kept[half : half + 64]) + kept[half + 64 :])
    with Log(path) as log:
        left = log.last_offset()
        assert 0 < left < 30
        log.append([event("new", number) for number in range(30 - left + 3)])
        turns = Turns(log, "here")
        assert turns.mine(store)
        drain_once(log, store, fence=turns.fence)
    assert store.counts()["events"] == 30 + 30 - left + 3


def test_a_full_disk_refuses_and_keeps_what_it_acknowledged(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """On a small disk where one can be made (root), else with a limit on the file."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    if mounted:
        request.addfinalizer(lambda: subprocess.run(["umount", str(disk)], check=False))
    with Log(disk / "log.db", max_bytes=None if mounted else DISK) as log:
        acknowledged = fill(log)
        assert 100 < acknowledged < 100_000
        assert len(log.read(0, 1_000_000)) == acknowledged
        if mounted:
            subprocess.run(["mount", "-o", f"remount,size={4 * DISK}", str(disk)], check=True)
            log.append([event("a", acknowledged)])  # the same one that was refused
            acknowledged += 1
    with Log(disk / "log.db") as log:
        assert [offset for offset, _ in log.read(0, 1_000_000)] == list(range(1, acknowledged + 1))


def test_a_clock_that_jumps_loses_and_doubles_nothing(
    tmp_path: Path, store: GraphStore, server: tuple[ServerConfig, Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server makes the times: a day back, a year ahead, back to now. The order of the log stays what it was."""
    from api.services import Services
    from recommend.recommender import Recommender
    from recommend.request import RecommendRequest
    from recommend.world import World
    from tests.api.conftest import running

    real = time.time_ns
    jumps_s = (0, -86_400, 31_536_000, 0)
    with Log(tmp_path / "log.db") as log:
        world = World(log)
        services = Services(recommender=Recommender(world, None), world=world, log=log, graph=store)
        with running(services) as live:
            for number, jump_s in enumerate(jumps_s):
                monkeypatch.setattr(time, "time_ns", lambda jump_s=jump_s: real() + jump_s * 1_000_000_000)
                posted = {"event_id": f"c{number}", "user_id": "ann", "item_id": f"i{number}", "kind": "purchase"}
                for verdict in ("accepted", "duplicated"):
                    receipt = live.client.post("/v1/events", json={"events": [posted]}).json()
                    assert (receipt[verdict], receipt["rejected"]) == (1, []), receipt
            monkeypatch.setattr(time, "time_ns", real)
            drain_once(log, store)
            ranked = services.recommender.recommend(RecommendRequest(user_id="ann", n=10))
            assert not {item.item_id for item in ranked.items} & {f"i{number}" for number in range(4)}
        _, connection = server
        ids = "MATCH ()-[event:INTERACTED]->() RETURN event.event_id AS id ORDER BY id"
        assert [row["id"] for row in ask(connection, ids)] == [f"c{number}" for number in range(4)]
