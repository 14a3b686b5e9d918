"""The broker of `clew kafka up`: a real Kafka, found again, kept apart from the caller, and its data kept."""

import base64
from pathlib import Path

import pytest

from broker import home, server
from broker.server import BrokerConfig
from domain.errors import PortTaken
from graph import jars


def test_a_running_broker_is_found_by_its_home_alone(kafka: str, kafka_config: BrokerConfig) -> None:
    first = server.status(kafka_config)
    assert first.running
    assert first.address == kafka
    noted = kafka_config.pid_file.read_bytes()
    kafka_config.pid_file.unlink()
    try:
        assert server.up(kafka_config) == first
    finally:
        kafka_config.pid_file.write_bytes(noted)


def test_a_taken_port_is_named_with_its_setting(kafka: str, tmp_path: Path) -> None:
    port = int(kafka.rpartition(":")[2])
    with pytest.raises(PortTaken, match=f"{port}.*CLEW_KAFKA_PORT"):
        server.up(BrokerConfig(home=tmp_path, port=port))


def test_no_broker_in_a_home_that_never_had_one(tmp_path: Path) -> None:
    config = BrokerConfig(home=tmp_path / "none")
    assert not server.status(config).running
    assert server.down(config) is False


def test_the_folder_is_written_as_a_properties_file_reads_it(tmp_path: Path) -> None:
    text = home.properties(BrokerConfig(home=tmp_path / "hôme"))
    assert text.isascii()
    assert "h\\u00f4me" in text


def test_a_cluster_id_is_sixteen_bytes_and_no_option_of_the_tool_that_takes_it() -> None:
    made = [home.new_cluster_id() for _ in range(2_000)]
    assert len(set(made)) == 2_000
    assert {len(base64.urlsafe_b64decode(f"{one}==")) for one in made} == {16}
    assert not [one for one in made if one.startswith("-")]


def test_the_lock_file_holds_hashes_and_no_addresses() -> None:
    rows = jars.locked(server.LOCK)
    assert {len(row.sha256) for row in rows} == {64}
    assert "://" not in server.LOCK.read_text()
    assert ("org.apache.kafka", "kafka_2.13", "4.1.0") in {(row.group, row.artifact, row.version) for row in rows}
