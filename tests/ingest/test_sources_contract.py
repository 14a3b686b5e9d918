"""What every source promises of its data set."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from domain.ids import clean_id, split_entity_id
from domain.progress import Silent
from domain.tables import Dataset
from ingest.report import RejectedLog
from ingest.sources import SOURCES, declarations
from tests.ingest.conftest import SHOP, Collected
from tests.ingest.test_movielens_source import FILES as MOVIELENS
from tests.ingest.test_rdf_source import MAPPING as RDF_MAPPING
from tests.ingest.test_rdf_source import TURTLE as RDF
from tests.ingest.test_recbole import FILES as RECBOLE
from tests.ingest.test_retail_source import DEMOGRAPHICS, PRODUCTS, TRANSACTIONS


def movielens(folder: Path) -> Path:
    for name, text in MOVIELENS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def recbole(folder: Path) -> Path:
    for name, text in RECBOLE.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def retail(folder: Path) -> Path:
    for name, frame in (("products", PRODUCTS), ("transactions", TRANSACTIONS), ("demographics", DEMOGRAPHICS)):
        frame.write_parquet(folder / f"{name}.parquet")
    return folder


def table(folder: Path) -> Path:
    return Path(shutil.copytree(SHOP, folder / "shop")) / "mapping.toml"


def rdf(folder: Path) -> Path:
    (folder / "school.toml").write_text(RDF_MAPPING, encoding="utf-8")
    (folder / "school.ttl").write_text(RDF, encoding="utf-8")
    return folder / "school.ttl"


MAKERS: list[Callable[[Path], Path]] = [movielens, rdf, recbole, retail, table]


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    folder = tmp_path / "source"
    folder.mkdir()
    return request.param.__name__, request.param(folder)


@pytest.fixture
def dataset(source: tuple[str, Path], rejected: Collected) -> Dataset:
    name, path = source
    return SOURCES[name].read(path, rejected, Silent())


def test_every_source_is_tried() -> None:
    assert {maker.__name__ for maker in MAKERS} == set(SOURCES)


def test_ids_are_clean_and_unique(dataset: Dataset) -> None:
    for nodes in (dataset.users, dataset.items, *dataset.entities):
        ids = nodes.ids.tolist()
        assert len(set(ids)) == len(ids)
        assert [clean_id(value) for value in ids] == ids
    events = dataset.events.event_ids.tolist()
    assert len(set(events)) == len(events)


def test_every_id_that_is_named_exists(dataset: Dataset) -> None:
    known = {nodes.label: set(nodes.ids) for nodes in (dataset.users, dataset.items, *dataset.entities)}
    assert set(dataset.events.user_ids) <= known["User"]
    assert set(dataset.events.item_ids) <= known["Item"]
    for relation in dataset.relations:
        assert set(relation.heads) <= known[relation.head_label], relation.type
        assert set(relation.tails) <= known[relation.tail_label], relation.type


def test_each_pair_of_a_relation_comes_once(dataset: Dataset) -> None:
    for relation in dataset.relations:
        pairs = list(zip(relation.heads, relation.tails, strict=True))
        assert len(set(pairs)) == len(pairs), relation.type


def test_types_kinds_and_properties_are_declared(dataset: Dataset) -> None:
    declaration = dataset.declaration
    declaration.check()
    assert {nodes.label for nodes in dataset.entities} <= set(declaration.entity_code)
    assert {relation.type for relation in dataset.relations} <= {*declaration.relation_code, "FOLLOWS"}
    assert set(dataset.events.kinds) <= set(declaration.event_code)
    own = {"name", "item_kind", "available", "created_at"}
    assert set(dataset.items.properties) == own | {kept.name for kept in declaration.item_properties}
    assert set(dataset.users.properties) <= {kept.name for kept in declaration.user_properties}
    for relation in declaration.relation_types:
        assert relation.same, relation.type
        assert relation.phrase, relation.type


def test_entity_ids_carry_their_label(dataset: Dataset) -> None:
    for nodes in dataset.entities:
        assert {split_entity_id(value)[0] for value in nodes.ids} == {nodes.label}


def test_columns_are_as_long_as_their_ids(dataset: Dataset) -> None:
    for nodes in (dataset.users, dataset.items, *dataset.entities):
        assert {len(column) for column in nodes.properties.values()} <= {len(nodes.ids)}
    events = dataset.events
    assert {len(events.user_ids), len(events.item_ids), len(events.kinds), len(events.values), len(events.at)} == {
        len(events)
    }
    assert (events.values.dtype, events.at.dtype) == (np.float64, np.int64)


def test_every_item_has_a_name(dataset: Dataset) -> None:
    assert all(isinstance(name, str) and name for name in dataset.items.properties["name"])


def test_reading_twice_gives_the_same(source: tuple[str, Path], dataset: Dataset, tmp_path: Path) -> None:
    name, path = source
    with RejectedLog(tmp_path / "again.jsonl") as log:
        again = SOURCES[name].read(path, log, Silent())
    assert again.declaration.fingerprint == dataset.declaration.fingerprint
    for first, second in zip(_columns(dataset), _columns(again), strict=True):
        np.testing.assert_array_equal(first, second)


def test_rejected_rows_name_a_file_and_say_why(dataset: Dataset, rejected: Collected) -> None:
    assert all(row.source and row.reason for row in rejected.rows)


def test_the_documented_declarations_are_consistent() -> None:
    for declaration in declarations():
        declaration.check()


def _columns(dataset: Dataset) -> list[np.ndarray]:
    columns: list[np.ndarray] = []
    for nodes in (dataset.users, dataset.items, *dataset.entities):
        columns += [nodes.ids, *nodes.properties.values()]
    for relation in dataset.relations:
        columns += [relation.heads, relation.tails]
    events = dataset.events
    return [*columns, events.event_ids, events.user_ids, events.item_ids, events.kinds, events.values, events.at]
