"""Rules as the writer stores them: the newest one, every version, and what a snapshot takes with it."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from domain.progress import Silent
from domain.records import RuleDeleted, RulePut
from domain.rules import Rule
from graph.server import Connection, ServerConfig
from graph.snapshot import take_snapshot
from graph.store import GraphStore
from tests.graph_state import remove_nodes
from tests.world import world_dataset

HIDE = msgspec.convert({"consequence": {"effect": "hide", "target": {"item_ids": ["alien"]}}}, Rule)
OFF = msgspec.structs.replace(HIDE, enabled=False)


@pytest.fixture
def store(server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    _, connection = server
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as made:
        made.load(world_dataset())
        yield made
    remove_nodes(connection)


def put(rule: Rule, based_on: int | None = None) -> RulePut:
    return RulePut(rule_id="gone", rule=rule, at=1_000, by="mia", based_on=based_on)


def versions(store: GraphStore) -> list[tuple[int, Rule | None]]:
    return [(one.version, one.rule) for one in store.rule_versions("gone", limit=10, timeout_s=10)]


def test_every_version_is_kept_and_a_batch_written_twice_is_written_once(store: GraphStore) -> None:
    records = [(1, put(HIDE)), (2, put(OFF)), (3, RuleDeleted(rule_id="gone", at=2_000, by="mia"))]
    store.apply(records)
    store.apply(records)
    assert versions(store) == [(3, None), (2, OFF), (1, HIDE)]


def test_a_change_based_on_another_version_is_left_out_as_in_memory(store: GraphStore) -> None:
    store.apply([(1, put(HIDE, based_on=0)), (2, put(OFF, based_on=0)), (3, put(OFF, based_on=1))])
    assert versions(store) == [(3, OFF), (1, HIDE)]


def test_a_snapshot_takes_the_rules_that_there_are_and_is_the_same_knowledge(store: GraphStore, tmp_path: Path) -> None:
    before = take_snapshot(store, tmp_path, Silent())
    other = RulePut(rule_id="other", rule=OFF, at=1_000, by="mia")
    store.apply([(1, put(HIDE)), (2, other), (3, RuleDeleted(rule_id="other", at=2_000, by="mia"))])
    after = take_snapshot(store, tmp_path, Silent())
    assert [(one.rule_id, one.version, one.at, one.by, one.rule) for one in after.rules] == [
        ("gone", 1, 1_000, "mia", HIDE)
    ]
    assert after.version == before.version
