"""Every .cypher file: its form, and its plan on the real server."""

import re
from collections.abc import Iterator

import pytest
from neo4j import Driver, GraphDatabase

import cypher
from domain.errors import InvalidMapping
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.graph_state import remove_nodes
from tests.world import DECLARATION, world_dataset

NAMES = cypher.names()
KEYWORDS = set(
    """match optional where return with unwind merge create set delete detach remove order by limit skip as call yield
    union distinct exists count collect case when then else end and or not in is null asc desc on foreach search
    """.split()  # noqa: SIM905  # a list of words is easier to read so
)
EXAMPLES = {
    "label": "Item",
    "type": "HAS_GENRE",
    "relation": "HAS_GENRE",
    "head": "Item",
    "tail": "Entity",
    "index": "item_embedding",
}
NO_PLAN = "schema/"  # the server plans no change of the schema


def code(name: str) -> str:
    """The statement without its header, its comments, its texts and its names in backticks."""
    lines = [line.partition("//")[0] for line in cypher.source(name).splitlines()]
    return re.sub(r"'[^']*'|`[^`]*`", "''", "\n".join(lines))


def rendered(name: str) -> str:
    return cypher.statement(name, **{slot: EXAMPLES[slot] for slot in cypher.slots(name)})


@pytest.mark.parametrize("name", NAMES)
def test_a_file_begins_with_purpose_parameters_and_rows(name: str) -> None:
    lines = cypher.source(name).splitlines()
    header = lines[: next(number for number, line in enumerate(lines) if not line.startswith("//"))]
    assert re.match(r"// [A-Z].*[.:]", header[0]), "the first line says in a sentence what the statement is for"
    assert header[-1].startswith("//   "), "parameters and rows are indented by three spaces"
    text = "\n".join(header)
    assert "rows: " in text
    used = set(re.findall(r"\$([a-z_]+)(?!\w*\()", code(name)))  # $any(...) is a function
    described = set(re.findall(r"\$([a-z_]+)", text))
    assert used <= described, f"parameters without description: {used - described}"
    for slot in cypher.slots(name):
        assert re.search(rf"(slots:.*\b|{{{{){slot}\b", text), f"the slot {slot} is not described"


@pytest.mark.parametrize("name", NAMES)
def test_keywords_are_upper_case_and_values_are_parameters(name: str) -> None:
    text = code(name)
    for word in re.findall(r"(?<![\w.$:`])[a-z]+(?=[\s(])(?!\()", text):
        assert word not in KEYWORDS, f"{word} is a keyword and belongs in upper case"
    for label in re.findall(r"(?<=[(\w]):(\w+)(?=[\s){])", text):
        assert re.match(r"[A-Z][A-Za-z0-9]*$|[A-Z_]+$", label), f"{label} is no :PascalCase"
    assert cypher.source(name).endswith("\n")
    assert "\t" not in cypher.source(name)
    assert text.count(";") == 0, "one statement per file"


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("schema/", "write/"))])
def test_a_read_is_limited_and_writes_nothing(name: str) -> None:
    text = code(name)
    assert re.search(r"\bLIMIT (\$[a-z_]+|\d+)", text), "every read has a LIMIT"
    assert not re.search(r"\b(CREATE|MERGE|SET|DELETE|REMOVE|DROP)\b", text)


@pytest.fixture(scope="module")
def driver(server: tuple[ServerConfig, Connection]) -> Iterator[Driver]:
    """A database that has the schema, the labels and the types that the plans need."""
    connection = server[1]
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.load(world_dataset())
        ids, vectors = list("ab"), __import__("numpy").eye(2, dtype="float32")
        store.write_embeddings("v1", ids, vectors, ids, vectors, {})
    auth = (connection.username, connection.password)
    with GraphDatabase.driver(connection.uri, auth=auth, notifications_min_severity="OFF") as opened:
        yield opened
    remove_nodes(connection)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(NO_PLAN)])
def test_no_statement_scans_all_nodes(name: str, driver: Driver) -> None:
    summary = driver.execute_query("EXPLAIN " + rendered(name), database_="neo4j").summary  # type: ignore[arg-type]
    assert summary.plan is not None
    operators = list(_operators(summary.plan))
    assert operators
    assert not [name for name in operators if "AllNodesScan" in name or "AllRelationshipsScan" in name]
    if name.startswith("write/") and name != "write/clear_embeddings":
        assert not [name for name in operators if "Scan" in name]


def _operators(plan: dict[str, object]) -> Iterator[str]:
    yield str(plan["operatorType"]).partition("@")[0]
    for child in plan.get("children", []):  # type: ignore[attr-defined]
        yield from _operators(child)


def test_slots_take_identifiers_only() -> None:
    slots = {"type": "HAS_GENRE", "head": "Item", "tail": "Entity"}
    assert "(head)-[relation:HAS_GENRE]->(tail)" in cypher.statement("write/relations", **slots)
    for bad in ("HAS GENRE", "A]->() DETACH DELETE x //", "A`", "", "1A", "Ä"):
        with pytest.raises(InvalidMapping, match="cannot be the type"):
            cypher.statement("write/relations", **{**slots, "type": bad})


def test_all_slots_and_no_others_are_filled() -> None:
    with pytest.raises(KeyError, match="tail"):
        cypher.statement("write/relations", type="HAS_GENRE", head="Item")
    with pytest.raises(KeyError, match="label"):
        cypher.statement("read/marker", label="Item")


@pytest.mark.parametrize("name", ["read/nothing", "../pyproject", "read/../read/marker", "read", ""])
def test_a_name_without_a_file_is_an_error(name: str) -> None:
    with pytest.raises(KeyError, match="no Cypher statement"):
        cypher.statement(name)


def test_a_statement_names_its_language_and_has_no_header() -> None:
    text = cypher.statement("read/marker")
    assert text.startswith("CYPHER 25 MATCH (marker:Clew {id: $id})")
    assert "//" not in text


def test_every_declared_type_can_fill_a_slot() -> None:
    for kind in DECLARATION.relation_types:
        assert f":{kind.type}]" in cypher.statement("write/relations", type=kind.type, head="Item", tail="Entity")
