"""RDF in its four forms, by a mapping."""

from pathlib import Path

import pytest

from domain.errors import InvalidMapping, InvalidSource
from domain.progress import Silent
from domain.tables import Dataset
from ingest.sources import rdf
from tests.ingest.conftest import Collected

MAPPING = """
[source]
name = "school"
languages = ["de", "en"]
[prefixes]
ex = "https://example.org/"
[[items]]
class = "schema:Course"
base = "https://example.org/course/"
kind = "course"
name = "schema:name"
created_at = "schema:datePublished"
available = "ex:open"
properties = [
  { predicate = "ex:hours", name = "hours", type = "number" },
  { predicate = "ex:tag", name = "tags", type = "list" },
]
[[entities]]
class = "schema:Person"
base = "https://example.org/person/"
label = "Teacher"
name = "schema:name"
[[relations]]
predicate = "schema:instructor"
type = "TAUGHT_BY"
tail = "Teacher"
[[relations]]
predicate = "schema:keywords"
type = "HAS_KEYWORD"
tail = "Keyword"
[[relations]]
predicate = "ex:before"
type = "PREREQUISITE_OF"
tail = "Item"
[[relations]]
predicate = "ex:teaches"
type = "ALSO_TAUGHT_BY"
tail = "Teacher"
inverse = true
[[events]]
class = "schema:RegisterAction"
kind = "enrol"
"""
TURTLE = """
@prefix schema: <http://schema.org/> . @prefix ex: <https://example.org/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<https://example.org/course/a%2F1> a schema:Course ; schema:name "Algebra"@en, "Álgebra"@es, "Algèbre"@fr ;
  schema:datePublished "2020-01-02"^^xsd:date ; ex:open true ; ex:hours 12 ; ex:tag "x", "y" ;
  schema:instructor <https://example.org/person/noether> ; schema:keywords "rings", "groups" ;
  ex:before <https://example.org/course/b> .
<https://example.org/course/b> a schema:Course ; schema:name "Beweise"@de-AT, "Proofs"@en ; ex:open "0"^^xsd:boolean ;
  schema:instructor [ a schema:Person ; schema:name "Nobody" ], <https://example.org/person/unsaid> .
<https://example.org/person/noether> a schema:Person ; schema:name "Emmy Noether" ;
  ex:teaches <https://example.org/course/b> .
[] a schema:RegisterAction ; schema:agent <https://example.org/u/1> ; schema:object <https://example.org/course/b> ;
  schema:endTime "2024-05-06T07:08:09+02:00"^^xsd:dateTime .
[] a schema:RegisterAction ; schema:agent <https://example.org/u/1> ; schema:object <https://example.org/course/zz> ;
  schema:endTime "2024-05-06T07:08:09Z"^^xsd:dateTime .
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    file = tmp_path / "school.toml"
    file.write_text(MAPPING, encoding="utf-8")
    return file


def load(folder: Path, rejected: Collected, form: str) -> Dataset:
    import rdflib

    file = folder / f"school{ENDINGS[form]}"
    if form == "turtle":
        file.write_text(TURTLE, encoding="utf-8")
    else:
        rdflib.Graph().parse(data=TURTLE).serialize(file, format=form, encoding="utf-8")
    return rdf.read(file, rejected, Silent())


ENDINGS = {"turtle": ".ttl", "nt": ".nt", "json-ld": ".jsonld", "xml": ".rdf"}


@pytest.mark.parametrize("form", ENDINGS)
def test_every_form_gives_the_same(tmp_path: Path, mapping: Path, rejected: Collected, form: str) -> None:
    dataset = load(tmp_path, rejected, form)
    rows = dict(zip(dataset.items.ids, range(2), strict=True))
    columns = dataset.items.properties
    first, second = rows["a/1"], rows["b"]
    assert (columns["name"][first], columns["name"][second]) == ("Algebra", "Beweise"), "de is wanted most, then en"
    assert columns["created_at"][first] == 1_577_923_200_000
    assert (columns["available"][first], columns["available"][second]) == (True, False)
    assert (columns["hours"][first], columns["hours"][second]) == (12.0, None)
    assert sorted(columns["tags"][first]) == ["x", "y"]
    assert columns["item_kind"].tolist() == ["course", "course"]
    found = {each.type: set(zip(each.heads, each.tails, strict=True)) for each in dataset.relations}
    assert found["HAS_KEYWORD"] == {("a/1", "Keyword:rings"), ("a/1", "Keyword:groups")}
    assert found["PREREQUISITE_OF"] == {("a/1", "b")}
    assert found["ALSO_TAUGHT_BY"] == {("b", "Teacher:noether")}
    assert ("a/1", "Teacher:noether") in found["TAUGHT_BY"]
    assert len(found["TAUGHT_BY"]) == 3
    assert dataset.events.at.tolist() == [1_714_972_089_000]
    assert dataset.events.user_ids.tolist() == ["https://example.org/u/1"]
    (reason,) = {each.reason for each in rejected.rows}
    assert reason == "'zz' is no item of an [[items]] class"


def test_a_blank_node_has_the_same_id_in_every_form_and_run(tmp_path: Path, mapping: Path, rejected: Collected) -> None:
    found = []
    for form in (*ENDINGS, "turtle"):
        dataset = load(tmp_path, rejected, form)
        teachers = next(table for table in dataset.entities if table.label == "Teacher")
        named = dict(zip(teachers.properties["name"], teachers.ids, strict=True))
        found.append((named["Nobody"], dataset.events.event_ids[0]))
    assert len(set(found)) == 1
    assert found[0][0].startswith("Teacher:_:")


def test_a_line_that_is_no_triple_is_rejected_and_the_rest_is_read(
    tmp_path: Path, mapping: Path, rejected: Collected
) -> None:
    file = tmp_path / "school.nt"
    good = (
        "<https://example.org/course/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Course> ."
    )
    file.write_bytes(f"# a comment\n\n{good}\nnonsense\n<a> <b> .\n".encode() + b'<x> <y> "\xff" .\n')
    dataset = rdf.read(file, rejected, Silent())
    assert dataset.items.ids.tolist() == ["a"]
    assert [each.line for each in rejected.rows] == [4, 5, 6]


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("school.ttl", "<a> <b>", "is not turtle"),
        ("school.rdf", "<not xml", "is not xml"),
        ("school.jsonld", "{", "is not json-ld"),
        ("school.jsonld", '{"@context": "https://example.org/c.jsonld"}', "nothing is fetched"),
        ("school.xlsx", "", "no form of RDF"),
        ("school.ttl", "", "no node of the class schema:Course"),
        ("absent.ttl", None, "no file"),
    ],
)
def test_an_unusable_file_is_named(
    tmp_path: Path, mapping: Path, rejected: Collected, name: str, text: str | None, match: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InvalidSource, match=match):
        rdf.read(tmp_path / name, rejected, Silent(), mapping)


def test_schema_org_as_a_context_needs_no_network(tmp_path: Path, mapping: Path, rejected: Collected) -> None:
    file = tmp_path / "school.jsonld"
    file.write_text(
        '{"@context": "https://schema.org", "@id": "https://example.org/course/c", "@type": "Course", "name": "C"}'
    )
    assert rdf.read(file, rejected, Silent()).items.properties["name"].tolist() == ["C"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (('"schema:Course"', '"sch:Course"'), "no known prefix"),
        (('kind = "enrol"', 'kind = "gaze"'), "no kind 'gaze'"),
        (('tail = "Keyword"', 'tail = "Key word"'), "letters, digits"),
        (('type = "number"', 'type = "date"'), "Invalid enum value"),
        (("[[items]]", "[[itemz]]"), "itemz|items"),
    ],
)
def test_a_wrong_mapping_is_named(
    tmp_path: Path, mapping: Path, rejected: Collected, change: tuple[str, str], match: str
) -> None:
    mapping.write_text(MAPPING.replace(*change))
    (tmp_path / "school.ttl").write_text(TURTLE)
    with pytest.raises(InvalidMapping, match=match):
        rdf.read(tmp_path / "school.ttl", rejected, Silent())


def test_without_a_mapping_it_says_how_to_name_one(tmp_path: Path, rejected: Collected) -> None:
    with pytest.raises(InvalidMapping, match="--mapping"):
        rdf.read(tmp_path / "other.ttl", rejected, Silent())
