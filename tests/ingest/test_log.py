"""The durable log on a real SQLite file, from many threads and many processes."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.errors import Backlog, LogDamaged, LogFull, LogReplaced
from domain.records import Event, UserPut
from ingest.group_commit import Line
from ingest.log import Log
from ingest.log_contract import Letter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.sqlite"


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    with Log(path) as opened:
        yield opened


def bury(log: Log, payload: object, code: str, message: str) -> None:
    log.bury([Letter(payload=payload, code=code, message=message)])


def event(event_id: str, user_id: str = "ann", *, item_id: str = "a", at: int = 1000) -> Event:
    return Event(event_id=event_id, user_id=user_id, item_id=item_id, kind="view", at=at)


def test_the_file_is_for_its_owner_only(log: Log, path: Path) -> None:
    log.append([event("e1")])
    modes = [stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()]
    assert len(modes) == 3  # the file, -wal and -shm
    assert set(modes) == {0o600}


def test_a_full_disk_acknowledges_nothing_and_keeps_what_was_there(path: Path) -> None:
    with Log(path, max_bytes=200_000) as log:
        log.append([event("first")])
        with pytest.raises(LogFull, match=r"events\.sqlite"):
            log.append([event(str(number), "u" * 200) for number in range(2000)])
        assert log.read(0) == [(1, event("first"))]
        assert log.append([event("second")])[0].code == "accepted"


def test_a_file_that_is_no_log_is_refused_by_name(path: Path) -> None:
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(LogDamaged, match=r"events\.sqlite"):
        Log(path)


def test_a_broken_page_is_reported_as_damage(path: Path) -> None:
    with Log(path) as log:
        log.append([event(str(number)) for number in range(2000)])
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    with pytest.raises(LogDamaged, match=r"events\.sqlite"), Log(path) as log:
        log.read(0)


def test_a_record_that_is_no_record_names_its_offset(log: Log, path: Path) -> None:
    log.append([event("e1")])
    with sqlite3.connect(path) as other:
        other.execute('UPDATE log SET payload = \'{"record": "nothing"}\'')
    other.close()
    with pytest.raises(LogDamaged, match=r"record 1 of .*events\.sqlite"):
        log.read(0)


def test_a_writer_that_holds_the_file_too_long_means_come_back_later(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    with Log(path, busy_s=0.1) as log:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Backlog, match="busy"):
            log.append([event("e1")])
        other.execute("ROLLBACK")
        assert log.append([event("e1")])[0].code == "accepted"
    other.close()


def test_an_erased_person_is_in_no_byte_of_the_files(log: Log, path: Path) -> None:
    person = "person-4711"
    for number in range(40):  # many small transactions, so that pages split and move
        log.append([event(f"{number}-{place}", (person, "ann", "bob")[place % 3]) for place in range(20)])
    log.append([UserPut(user_id="ann", properties={}, follows=(person,))])
    bury(log, {"user_id": person}, "unknown_kind", "no event kind")
    log.forget_erasures(log.erase_user(person))
    for file in path.parent.iterdir():
        assert person.encode() not in file.read_bytes(), file.name
    assert log.is_erased(person)


@pytest.mark.parametrize("how", ["another file", "an older copy written into it", "no file"])
def test_a_log_that_was_replaced_under_a_process_takes_and_tells_nothing_more(tmp_path: Path, how: str) -> None:
    path, copy = tmp_path / "log.db", tmp_path / "copy.db"
    with Log(path) as log:
        log.append([event("e1")])
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        log.append([event("e2")])
        if how == "another file":
            copy.replace(path)
        elif how == "no file":
            path.unlink()
        else:
            with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(path)) as target:
                source.backup(target)
        for ask in (lambda: log.append([event("e3")]), log.last_offset, lambda: log.read(0), lambda: log.bury([])):
            with pytest.raises(LogReplaced, match="restart `clew serve`"):
                ask()


def test_a_log_that_was_replaced_while_it_was_written_acknowledges_nothing(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with Log(path) as log:
        log.append([event("e1")])
        insert = log._insert

        def replacing(fresh: list[tuple[int, Line]]) -> None:
            insert(fresh)
            path.rename(tmp_path / "moved.db")

        log._insert = replacing  # type: ignore[method-assign]
        with pytest.raises(LogReplaced):
            log.append([event("e2")])
