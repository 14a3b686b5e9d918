"""What every durable log promises, on each of them: SQLite's file and a real Kafka."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import LogError
from domain.records import Event, ItemRetired, RelationEnd, RelationPut, UserErased, UserMerged, UserPut
from ingest.log_contract import DurableLog
from tests.ingest.logs import Place, bury, event


@pytest.fixture(params=["sqlite", "kafka"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return Place(tmp_path / "log")
    return Place(tmp_path / "log", request.getfixturevalue("kafka"), f"t{uuid.uuid4().hex}")


@pytest.fixture
def log(place: Place) -> Iterator[DurableLog]:
    with place.open() as opened:
        yield opened


def test_what_is_appended_is_read_back_in_order(log: DurableLog) -> None:
    records = [event("e1"), ItemRetired(item_id="a"), event("e2", "björn")]
    verdicts = log.append(records)
    assert [(verdict.offset, verdict.code) for verdict in verdicts] == [(n, "accepted") for n in (1, 2, 3)]
    assert log.read(0) == [(1, records[0]), (2, records[1]), (3, records[2])]
    assert log.read(1, limit=1) == [(2, records[1])]
    assert log.last_offset() == 3


def test_an_empty_log_ends_at_offset_zero(log: DurableLog) -> None:
    assert log.last_offset() == 0
    assert log.read(0) == []
    assert log.append([]) == []


def test_the_same_event_counts_once_also_within_a_batch_and_after_reopening(log: DurableLog, place: Place) -> None:
    assert [verdict.code for verdict in log.append([event("e1"), event("e1")])] == ["accepted", "duplicated"]
    with place.open() as second:
        (verdict,) = second.append([event("e1")])
    assert (verdict.offset, verdict.code) == (1, "duplicated")
    assert log.read(0) == [(1, event("e1"))]


def test_the_same_event_id_with_other_content_is_a_conflict(log: DurableLog) -> None:
    log.append([event("e1", item_id="a")])
    (verdict,) = log.append([event("e1", item_id="b")])
    assert (verdict.offset, verdict.code) == (None, "event_id_conflict")
    assert len(log.read(0)) == 1


def test_a_time_made_by_the_server_does_not_make_a_repetition_a_conflict(log: DurableLog) -> None:
    log.append([event("e1", at=1000)], server_timed={0})
    assert log.append([event("e1", at=2000)], server_timed={0})[0].code == "duplicated"
    assert log.append([event("e1", at=2000)])[0].code == "event_id_conflict"


def test_threads_share_commits_and_lose_nothing(log: DurableLog) -> None:
    def send(thread: int) -> None:
        for number in range(25):
            assert log.append([event(f"{thread}-{number}", str(thread))])[0].code == "accepted"

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = [record.event_id for _, record in log.read(0) if isinstance(record, Event)]
    assert sorted(stored) == sorted(f"{thread}-{number}" for thread in range(8) for number in range(25))
    own = [value for value in stored if value.startswith("3-")]
    assert own == [f"3-{number}" for number in range(25)]  # each thread's order is kept


APPENDER = """
import sys
from domain.records import Event
from tests.ingest.logs import Place
with Place.parse(sys.argv[1]).open() as log:
    for number in range(int(sys.argv[3])):
        record = Event(event_id=f"{sys.argv[2]}-{number}", user_id="u", item_id="i", kind="view", at=1)
        log.append([record])
        print(record.event_id, flush=True)
"""


def appender(place: Place, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(APPENDER), place.text(), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_several_processes_append_to_one_log(log: DurableLog, place: Place) -> None:
    processes = [appender(place, name, 40) for name in ("p", "q")]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert log.last_offset() == 80
    assert len({record.event_id for _, record in log.read(0) if isinstance(record, Event)}) == 80


def test_what_was_acknowledged_survives_kill_9(log: DurableLog, place: Place) -> None:
    process = appender(place, "p", 100_000)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += process.communicate(timeout=60)[0].split()
    deadline = time.monotonic() + 30  # what another process wrote is followed, a moment later
    while missing := set(acknowledged) - {
        record.event_id for _, record in log.read(0, limit=1_000_000) if isinstance(record, Event)
    }:
        assert time.monotonic() < deadline, missing
        time.sleep(0.05)
    assert log.append([event("after")])[0].code == "accepted"


def test_a_closed_log_says_so(log: DurableLog) -> None:
    log.close()
    log.close()
    with pytest.raises(LogError, match="closed"):
        log.append([event("e1")])
    with pytest.raises(LogError, match="closed"):
        log.last_offset()


def test_the_last_offset_costs_microseconds(log: DurableLog) -> None:
    log.append([event(str(number)) for number in range(1000)])
    log.last_offset()
    begun = time.perf_counter()
    for _ in range(200):
        log.last_offset()
    assert (time.perf_counter() - begun) / 200 < 0.001


def test_dead_letters_come_back_newest_first(log: DurableLog) -> None:
    bury(log, {"user_id": "ann", "kind": "lick"}, "unknown_kind", "no event kind 'lick'")
    bury(log, [1, None, "junk"], "invalid_request", "an event is an object")
    newest, oldest = log.dead()
    assert (newest.code, newest.payload) == ("invalid_request", [1, None, "junk"])
    assert (oldest.code, oldest.message) == ("unknown_kind", "no event kind 'lick'")
    assert oldest.payload == {"user_id": "ann", "kind": "lick"}
    assert log.dead(limit=1) == [newest]


ERASED = 'zoë-"4711'


def fill_around_the_person(log: DurableLog) -> None:
    """Rows of the person, and of others who follow them or have an item of the same name."""
    log.append([event(f"m{number}", ERASED if number % 3 else "ann") for number in range(300)])
    log.append(
        [
            UserPut(user_id=ERASED, properties={"mail": f"{ERASED}@example.org"}),
            UserPut(user_id="ann", properties={}, follows=("bob", ERASED)),
            RelationPut(type="FOLLOWS", head_id="bob", tail_id=ERASED),
            RelationPut(type="IN_AGE_BAND", head_id=ERASED, tail_id="AgeBand:20-29", head_label="User"),
            event("kept", item_id=ERASED),
        ]
    )
    bury(log, {"user_id": ERASED, "kind": "lick"}, "unknown_kind", "no event kind 'lick'")


def test_an_erased_person_is_in_no_record_of_theirs_or_others(log: DurableLog) -> None:
    fill_around_the_person(log)
    offset = log.erase_user(ERASED)
    records = [record for _, record in log.read(0)]
    assert [record for record in records if isinstance(record, UserErased)] == [UserErased(user_id=ERASED)]
    assert log.read(offset - 1) == [(offset, UserErased(user_id=ERASED))]
    assert [record for record in records if isinstance(record, UserPut)] == [
        UserPut(user_id="ann", properties={}, follows=("bob",))
    ]
    assert not [record for record in records if isinstance(record, RelationPut)]
    events = [record for record in records if isinstance(record, Event)]
    assert {record.user_id for record in events} == {"ann"}
    assert len(events) == 100 + 1  # the item of the same name stays
    assert log.dead() == []


def test_an_erased_person_is_refused_for_ever(log: DurableLog, place: Place) -> None:
    assert not log.has_erased()
    log.erase_user("ann")
    assert log.has_erased()
    records = [
        event("e1"),
        UserPut(user_id="ann", properties={}),
        UserPut(user_id="bob", properties={}, follows=("ann",)),
        RelationPut(type="PREFERS", head_id="ann", tail_id="Genre:crime"),
        RelationPut(type="FOLLOWS", head_id="bob", tail_id="ann"),
        RelationPut(type="HAS_GENRE", head_id="ann", tail_id="Genre:crime"),  # an item of that name
        event("e2", "bob"),
    ]
    bury(log, {"user_id": "ann"}, "unknown_kind", "no event kind")
    with place.open() as reopened:
        assert [verdict.code for verdict in reopened.append(records)] == ["erased_user"] * 5 + ["accepted"] * 2
        assert reopened.is_erased("ann")
        assert not reopened.is_erased("bob")
        assert reopened.erased_among({"ann", "bob"}) == {"ann"}
        assert reopened.erased_among({"ann", *(f"u{number}" for number in range(1_200))}) == {"ann"}
        assert reopened.dead() == []


def test_erasing_twice_equals_once_and_offsets_are_never_used_again(log: DurableLog) -> None:
    log.append([event("e1")])
    first = log.erase_user("ann")
    second = log.erase_user("ann")
    assert [offset for offset, _ in log.read(0)] == [second]
    log.forget_erasures(second)
    assert (log.read(0), log.last_offset()) == ([], second)
    assert log.append([event("e2", "bob")])[0].offset == second + 1
    assert first < second


def test_relations_and_preferences_survive_the_round_trip(log: DurableLog) -> None:
    record = UserPut(
        user_id="ann",
        properties={"age": 33, "tags": ["a", "b"]},
        preferences=(RelationEnd(type="PREFERS", entity_id="Genre:crime", weight=2.0),),
    )
    log.append([record])
    assert log.read(0) == [(1, record)]


def test_a_merged_visitor_is_erased_with_the_person_they_turned_out_to_be(log: DurableLog) -> None:
    log.append([event("e1", "visitor"), UserMerged(user_id="ann", from_id="visitor"), event("e2", "bob")])
    assert UserMerged(user_id="ann", from_id="visitor") in [record for _, record in log.read(0)]
    log.erase_user("ann")
    assert log.is_erased("visitor")
    assert log.append([event("e3", "visitor")])[0].code == "erased_user"
    assert [record for _, record in log.read(0) if isinstance(record, Event)] == [event("e2", "bob")]


def test_an_erasure_tells_of_the_visitors_too_for_who_has_not_read_of_the_merge(log: DurableLog, place: Place) -> None:
    log.append([event("e1", "first"), event("e2", "second"), event("e3", "bob")])
    read_before = log.last_offset()
    log.append([UserMerged(user_id="second", from_id="first"), UserMerged(user_id="ann", from_id="second")])
    offset = log.erase_user("ann")
    with place.open() as another:
        for one in (log, another):
            told = one.read(read_before)
            assert [record for _, record in told] == [UserErased(user_id=who) for who in ("first", "second", "ann")]
            assert told[-1][0] == one.last_offset() == offset
    log.forget_erasures(offset)
    assert log.read(read_before) == []
    assert log.erase_user("ann") == offset + 1


def test_the_oldest_rejected_letters_go_first_are_counted_and_held_ones_stay(place: Place) -> None:
    with place.open(max_dead=2) as log:
        bury(log, {"item_id": "new"}, "unknown_item", "held", waits_for="item:new")
        for number in range(4):
            bury(log, {"number": number}, "invalid_event", "no event")
        assert [letter.payload for letter in log.dead()] == [{"number": 3}, {"number": 2}, {"item_id": "new"}]
        assert log.dead_counts() == {"invalid_event": 2, "unknown_item": 1, "dropped": 2}
        (held,) = log.dead(waits_for="item:new")
        assert log.awaited() == {"item:new"}
        log.unbury([held.number, 987_654])
        assert log.dead(waits_for="item:new") == []
        assert log.awaited() == set()
        assert len(log.dead()) == 2


def test_reading_goes_on_from_any_offset_in_pieces(log: DurableLog) -> None:
    log.append([event(f"e{number}", f"u{number % 7}") for number in range(50)])
    log.erase_user("u3")
    offset, seen = 0, list[str]()
    while records := log.read(offset, limit=9):
        assert len(records) <= 9
        seen += [record.event_id for _, record in records if isinstance(record, Event)]
        offset = records[-1][0]
    assert seen == [f"e{number}" for number in range(50) if number % 7 != 3]
    assert offset == log.last_offset()


def test_a_log_goes_on_after_what_was_seen_of_it(log: DurableLog, place: Place) -> None:
    log.append([event("e1"), event("e2")])
    assert not log.skip_to(2)
    assert log.skip_to(1000)
    assert log.last_offset() == 1000
    assert [verdict.offset for verdict in log.append([event("e3"), event("e1")])] == [1001, 1]
    with place.open() as second:
        for opened in (log, second):
            assert not opened.skip_to(1001)
            assert [offset for offset, _ in opened.read(0)] == [1, 2, 1001]
            assert [offset for offset, _ in opened.read(1)] == [2, 1001]
            assert [[offset for offset, _ in opened.read(after)] for after in (2, 999, 1000)] == [[1001]] * 3
            assert opened.read(1001) == []
            assert opened.append([event("e3")])[0].offset == 1001


def test_a_log_that_has_skipped_forgets_erasures_up_to_an_offset_of_its_own(log: DurableLog) -> None:
    assert log.skip_to(7)
    offset = log.erase_user("ann")
    assert offset == 8
    log.forget_erasures(7)
    assert log.read(7) == [(8, UserErased(user_id="ann"))]
    log.forget_erasures(8)
    assert log.read(0) == []
