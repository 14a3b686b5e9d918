"""The graph as RDF, and back: what is written is read again as it was."""

from pathlib import Path

import numpy as np
import pytest
import rdflib

from domain.dataset_snapshot import snapshot_of
from domain.progress import Silent
from domain.snapshot import Snapshot
from domain.tables import Dataset, RelationTable
from graph.rdf import FORMATS, export_rdf
from ingest.report import RejectedLog
from ingest.sources import rdf
from tests.world import DECLARATION, ITEMS, world_dataset


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return snapshot_of(world_dataset())


def write(snapshot: Snapshot, path: Path, *, people: bool = False) -> int:
    return export_rdf(snapshot, path, lambda _: None, people=people)[0]


def read(path: Path) -> Dataset:
    log = RejectedLog(path.with_name("rejected.jsonl"))
    dataset = rdf.read(path, log, Silent())
    assert log.total == 0
    return dataset


def pairs(relations: tuple[RelationTable, ...]) -> dict[str, set[tuple[str, str]]]:
    found = {each.type: set(zip(each.heads.tolist(), each.tails.tolist(), strict=True)) for each in relations}
    found.pop("PREFERS", None)  # its weights have no place in triples
    return found


@pytest.mark.parametrize("ending", [".nt", ".ttl", ".jsonld", ".rdf"])
def test_everything_comes_back(snapshot: Snapshot, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"world{ending}"
    write(snapshot, file, people=True)
    before, after = world_dataset(), read(file)
    assert sorted(after.items.ids) == sorted(before.items.ids)
    assert sorted(after.users.ids) == sorted(before.users.ids)
    assert _by_id(after.items) == _by_id(before.items)
    names = {
        entity: name
        for table in after.entities
        for entity, name in zip(table.ids, table.properties["name"], strict=True)
    }
    assert names == {e: n for t in before.entities for e, n in zip(t.ids, t.properties["name"], strict=True)}
    assert pairs(after.relations) == pairs(before.relations)
    assert _events(after) == _events(before)
    assert after.declaration.relation_types == DECLARATION.relation_types
    assert after.declaration.entity_types == DECLARATION.entity_types
    assert after.declaration.event_kinds == DECLARATION.event_kinds


def _by_id(table: object) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for row, node_id in enumerate(table.ids):  # type: ignore[attr-defined]
        values = {name: column[row] for name, column in table.properties.items()}  # type: ignore[attr-defined]
        tags = values.pop("tags")
        found[node_id] = {**values, "tags": sorted(tags) if tags is not None else None}
    return found


def _events(dataset: Dataset) -> set[tuple[object, ...]]:
    events = dataset.events
    values = np.where(np.isnan(events.values), -1, events.values)
    return set(zip(events.user_ids, events.item_ids, events.kinds, values.tolist(), events.at.tolist(), strict=True))


def test_people_are_left_out_unless_they_are_asked_for(snapshot: Snapshot, tmp_path: Path) -> None:
    write(snapshot, tmp_path / "world.nt")
    text = (tmp_path / "world.nt").read_text()
    assert "urn:clew:user" not in text
    assert "agent" not in text
    dataset = read(tmp_path / "world.nt")
    assert (len(dataset.users.ids), len(dataset.events), len(dataset.items.ids)) == (0, 0, len(ITEMS))


def test_terms_are_those_of_schema_org(snapshot: Snapshot, tmp_path: Path) -> None:
    write(snapshot, tmp_path / "world.ttl")
    graph = rdflib.Graph().parse(tmp_path / "world.ttl")
    schema = rdflib.Namespace("https://schema.org/")
    pulp, tarantino = rdflib.URIRef("urn:clew:item:pulp"), rdflib.URIRef("urn:clew:entity:Director:tarantino")
    assert (pulp, schema.director, tarantino) in graph
    assert (pulp, schema.name, rdflib.Literal("Pulp Fiction")) in graph
    assert (tarantino, schema.name, rdflib.Literal("Quentin Tarantino")) in graph
    assert (rdflib.URIRef("urn:clew:item:armageddon"), schema.availability, schema.OutOfStock) in graph


def test_the_count_is_that_of_the_lines(snapshot: Snapshot, tmp_path: Path) -> None:
    file = tmp_path / "world.nt"
    assert write(snapshot, file, people=True) == len(file.read_text().splitlines())


def test_each_form_is_known_by_one_of_the_endings() -> None:
    assert set(FORMATS.values()) == {"nt", "turtle", "json-ld", "xml"}
