"""What the log on Kafka promises beyond the contract: several machines, lost brokers, and keys that are destroyed."""

import os
import signal
import time
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from broker import server
from broker.server import BrokerConfig
from domain.errors import InvalidSettings, LogError, LogReplaced, LogUnavailable
from domain.records import RelationDeleted, RelationPut, UserErased, UserPut
from ingest import kafka_client, kafka_log
from ingest.kafka_address import kafka_address
from ingest.kafka_client import Outgoing
from ingest.kafka_skips import skip_to
from ingest.log_contract import DurableLog
from tests.ingest.logs import Place, bury, event


@pytest.fixture
def topic() -> str:
    return f"k{uuid.uuid4().hex}"


def machine(tmp_path: Path, kafka: str, topic: str, name: str) -> DurableLog:
    """The log as another machine opens it: the same topic, and nothing else in common."""
    return Place(tmp_path / name, kafka, topic).open()


def ids_in(log: DurableLog) -> list[str]:
    return [getattr(record, "event_id", "") for _, record in log.read(0)]


def test_an_event_that_two_machines_took_at_once_is_read_once(
    kafka: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_log, "TIMEOUT_S", 0.1)
    with machine(tmp_path, kafka, topic, "a") as a, machine(tmp_path, kafka, topic, "b") as b:
        a._tail.stop()  # type: ignore[attr-defined]  # it sees nothing of what b does from now on
        assert b.append([event("e1"), event("e2")])[0].code == "accepted"
        a.append([event("e1")])
        b.append([event("e3")])
        assert ids_in(b) == ["e1", "e2", "e3"]
    with machine(tmp_path, kafka, topic, "c") as c:
        assert ids_in(c) == ["e1", "e2", "e3"]
        assert c.append([event("e1")])[0].code == "duplicated"


def test_what_one_process_acknowledged_is_in_the_next_read_of_another_on_its_machine(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    with machine(tmp_path, kafka, topic, "a") as one, machine(tmp_path, kafka, topic, "a") as other:
        seen = []
        for number in range(50):
            (verdict,) = one.append([event(f"e{number}")])
            seen.append(other.last_offset() >= (verdict.offset or 0) and ids_in(other)[-1] == f"e{number}")
        assert seen == [True] * 50


def test_what_one_process_destroyed_no_other_on_its_machine_can_read(kafka: str, topic: str, tmp_path: Path) -> None:
    with machine(tmp_path, kafka, topic, "a") as one, machine(tmp_path, kafka, topic, "a") as other:
        one.append([UserPut(user_id="bob", properties={}, follows=("ann", "cid")), event("e1", "ann")])
        assert len(other.read(0)) == 2
        offset = one.erase_user("ann")
        assert other.read(0, 1) == [(1, UserPut(user_id="bob", properties={}, follows=("cid",)))]
        assert other.read(offset - 1) == [(offset, UserErased(user_id="ann"))]
        one.forget_erasures(offset)
        assert other.read(offset - 1) == []


def test_a_process_that_dies_at_an_erasure_knows_of_it_when_it_is_back(
    kafka: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise LogError("killed here")

    with machine(tmp_path, kafka, topic, "a") as a, machine(tmp_path, kafka, topic, "b") as b:
        a.append([event("e1", "ann")])
        monkeypatch.setattr(a._tail, "_erase", die)  # type: ignore[attr-defined]
        offset = b.erase_user("ann")
        a._tail.wait_for(offset, 10)  # type: ignore[attr-defined]
        with pytest.raises(LogError, match="killed here"):
            a.is_erased("ann")
    with machine(tmp_path, kafka, topic, "a") as back:
        assert back.is_erased("ann")


def test_each_machine_opens_what_others_have_sealed_and_refuses_whom_they_erased(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    with machine(tmp_path, kafka, topic, "a") as a, machine(tmp_path, kafka, topic, "b") as b:
        a.append([event("e1", "ann"), UserPut(user_id="bob", properties={}, follows=("ann", "cid"))])
        b.append([event("e2", "ann")])
        offset = b.erase_user("ann")
        a._tail.wait_for(offset, 10)  # type: ignore[attr-defined]
        kept = [record for _, record in a.read(0) if isinstance(record, UserPut)]
        assert kept == [UserPut(user_id="bob", properties={}, follows=("cid",))]
        assert a.append([event("e3", "ann")])[0].code == "erased_user"
        b.forget_erasures(offset)
    with machine(tmp_path, kafka, topic, "c") as c:
        assert c.is_erased("ann")
        assert [type(record) for _, record in c.read(0)] == [UserPut]


def test_no_message_names_a_person_in_the_clear_and_a_destroyed_key_is_gone(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    person = "person-4711"
    with machine(tmp_path, kafka, topic, "a") as log:
        log.append([event("e1", person), UserPut(user_id="bob", properties={}, follows=(person,))])
        log.append([RelationPut(type="FOLLOWS", head_id="bob", tail_id=person)])
        bury(log, {"user_id": person}, "unknown_kind", "no event kind")
        log.forget_erasures(log.erase_user(person))
        log.append([RelationDeleted(type="FOLLOWS", head_id="bob", tail_id=person)])
        keys = dict(_messages(kafka, f"{topic}.keys"))  # the newest of each: what compaction leaves
        assert sum(value is None for value in keys.values()) == 2  # the person's and that of the farewell
        assert sum(value is not None for value in keys.values()) == 2  # bob's and the secret
    for name in (topic, f"{topic}.keys", f"{topic}.dead"):
        for key, value in _messages(kafka, name):
            assert person.encode() not in (key or b"") + (value or b"")
    files = list((tmp_path / "a").rglob("*"))
    assert files
    assert all(file.is_file() for file in files)
    for file in files:
        assert person.encode() not in file.read_bytes()


def test_what_two_machines_skip_at_once_is_skipped_once(kafka: str, topic: str, tmp_path: Path) -> None:
    with machine(tmp_path, kafka, topic, "a") as a, machine(tmp_path, kafka, topic, "b") as b:
        a.append([event("e1")])
        b._tail.stop()  # type: ignore[attr-defined]  # it sees nothing of what a does from now on
        assert a.skip_to(500)
        b._sender.send([Outgoing(topic, None, skip_to(400))])  # type: ignore[attr-defined]
        assert a.append([event("e2")])[0].offset == 502  # the second skip is a message, and no more
    with machine(tmp_path, kafka, topic, "c") as c:
        assert [offset for offset, _ in c.read(0)] == [1, 502]


@pytest.mark.parametrize("gone", [("",), ("", ".keys", ".dead")])
def test_a_process_takes_nothing_into_a_topic_that_was_made_anew_under_it(
    kafka: str, topic: str, gone: tuple[str, ...], tmp_path: Path
) -> None:
    with machine(tmp_path, kafka, topic, "a") as log:
        log.append([event("e1"), event("e2")])
        _delete(kafka, [topic + ending for ending in gone])
        with machine(tmp_path, kafka, topic, "b") as anew:
            anew.append([event("n1")])
        with pytest.raises(LogReplaced, match="restart `clew serve`"):
            _until_taken(log, "e3")
        with pytest.raises(LogReplaced):
            _until_raised(log)
    with machine(tmp_path, kafka, topic, "a") as again:
        assert ids_in(again) == ["n1"]
        assert again.append([event("e1")])[0].code == "accepted"


def test_a_topic_that_was_made_anew_is_known_by_the_first_offset_and_by_its_id(
    kafka: str, topic: str, tmp_path: Path
) -> None:
    with machine(tmp_path, kafka, topic, "a") as log:
        log.append([event("e1"), event("e2")])
        log._tail.stop()  # type: ignore[attr-defined]  # it has not looked meanwhile
        log._look_around()  # type: ignore[attr-defined]
        _delete(kafka, [topic])
        with machine(tmp_path, kafka, topic, "b") as anew:
            with pytest.raises(LogReplaced):
                _until_taken(log, "e3")  # it lies where e1 was, and is not acknowledged
            with pytest.raises(LogReplaced):
                log.last_offset()
            anew.append([event(f"n{number}") for number in range(5)])
        with pytest.raises(LogReplaced):
            log._look_around()  # type: ignore[attr-defined]


def test_a_topic_of_several_partitions_has_no_one_order_and_is_refused(kafka: str, topic: str, tmp_path: Path) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.create_topics([NewTopic(topic, 2, 1)]).values():
        future.result()
    with pytest.raises(InvalidSettings, match="2 partitions"):
        machine(tmp_path, kafka, topic, "a")


def test_a_killed_broker_loses_nothing_acknowledged_and_is_missed_until_it_is_back(
    kafka: str, kafka_config: BrokerConfig, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka_client, "TIMEOUT_S", 2.0)
    with machine(tmp_path, kafka, topic, "a") as log:
        log.append([event("e1")])
        pid = server.status(kafka_config).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        try:
            with pytest.raises(LogUnavailable, match="send them again"):
                log.append([event("e2")])
            with pytest.raises(LogUnavailable):
                log.append([event("e2")])  # at once, and not after a time-out
            assert ids_in(log) == ["e1"]  # what was read is still there
        finally:
            server.up(kafka_config)
        code = _until_taken(log, "e2")
        assert code in ("accepted", "duplicated")
        assert ids_in(log) == ["e1", "e2"]


def test_no_broker_at_all_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_client, "TIMEOUT_S", 0.5)
    with pytest.raises(LogUnavailable, match="does not answer"):
        machine(tmp_path, "127.0.0.1:1", "t", "a")


@pytest.mark.parametrize(
    "text", ["kafka://", "kafka://host/topic", "kafka://host:1", "kafka://h:1/..", "mysql://h:1/t"]
)
def test_an_address_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="CLEW_EVENTS"):
        kafka_address(text)


def _until_taken(log: DurableLog, event_id: str) -> str:
    for _ in range(100):
        try:
            return log.append([event(event_id)])[0].code
        except LogUnavailable:
            continue
    raise AssertionError("not taken again")


def _delete(kafka: str, topics: list[str]) -> None:
    admin = AdminClient({"bootstrap.servers": kafka})
    for future in admin.delete_topics(topics, operation_timeout=10).values():
        future.result()


def _until_raised(log: DurableLog) -> None:
    for _ in range(200):
        log.last_offset()
        time.sleep(0.05)


def _messages(kafka: str, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """Every message of a topic, with nothing of ours between."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "test", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found = []
    while True:
        message = consumer.poll(10)
        assert message is not None
        if message.error():
            consumer.close()
            return found
        found.append((message.key(), message.value()))
