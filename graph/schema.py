"""Constraints, indexes and the declaration, as stored in the graph."""

from typing import TypeVar

import msgspec

from cypher import statement
from domain.declarations import Declaration
from graph.driver import Driver

CONSTRAINTS_AND_INDEXES = (
    "user_id",
    "item_id",
    "entity_id",
    "model_version",
    "clew_id",
    "event_id",
    "rule_id",
    "rule_version_id",
    "names",
)
VECTOR_INDEXES = {"Item": "item_embedding", "Entity": "entity_embedding"}  # label -> index
DECLARATION_ID = "declaration"
AWAIT_S = 300
READ_S = 30.0

T = TypeVar("T")


def install_schema(driver: Driver, declaration: Declaration) -> Declaration:
    """Makes what is missing of constraints and indexes, waits until they are filled, and stores the declaration.

    Another source's declaration is kept beside it: see `joined`. Returns: what the graph now declares.
    """
    for name in CONSTRAINTS_AND_INDEXES:
        driver.run(statement(f"schema/{name}"), {})
    driver.run(statement("schema/await_indexes"), {"timeout_s": AWAIT_S})
    stored = read_declaration(driver)
    whole = declaration if stored is None else joined(stored, declaration)
    if whole != stored:
        write_marker(driver, DECLARATION_ID, {"json": msgspec.json.encode(whole).decode()})
    return whole


def joined(stored: Declaration, new: Declaration) -> Declaration:
    """The declaration of a graph that holds both: of two types with one name the new one counts.

    A source that comes again replaces its own declaration whole.
    """
    if stored.name == new.name:
        return new

    return Declaration(
        name=new.name,
        entity_types=_both(stored.entity_types, new.entity_types, "label"),
        relation_types=_both(stored.relation_types, new.relation_types, "type"),
        event_kinds=_both(stored.event_kinds, new.event_kinds, "name"),
        user_properties=_both(stored.user_properties, new.user_properties, "name"),
        item_properties=_both(stored.item_properties, new.item_properties, "name"),
    )


def read_declaration(driver: Driver) -> Declaration | None:
    """The stored declaration; None in a graph without one."""
    marker = read_marker(driver, DECLARATION_ID)
    return msgspec.json.decode(str(marker["json"]), type=Declaration) if marker else None


def read_marker(driver: Driver, marker_id: str) -> dict[str, object] | None:
    """The properties of one of Clew's own notes, or None."""
    rows = driver.rows(statement("read/marker"), {"id": marker_id}, timeout_s=READ_S)
    return msgspec.convert(rows[0]["properties"], dict[str, object]) if rows else None


def write_marker(driver: Driver, marker_id: str, properties: dict[str, object]) -> None:
    driver.run(statement("write/marker"), {"id": marker_id, "properties": properties})


def install_vector_index(driver: Driver, label: str, dimensions: int) -> None:
    """The vector index of a label with so many dimensions; one with another number is dropped first."""
    name = VECTOR_INDEXES[label]
    rows = driver.rows(statement("schema/vector_dimensions"), {}, timeout_s=READ_S)
    existing = {str(row["name"]): row["dimensions"] for row in rows}
    if name in existing and existing[name] != dimensions:
        driver.run(statement("schema/drop_index", index=name), {})
    options = {"indexConfig": {"vector.dimensions": dimensions, "vector.similarity_function": "cosine"}}
    driver.run(statement("schema/create_vector_index", index=name, label=label), {"options": options})
    driver.run(statement("schema/await_indexes"), {"timeout_s": AWAIT_S})


def _both(old: tuple[T, ...], new: tuple[T, ...], key: str) -> tuple[T, ...]:
    names = {getattr(kind, key) for kind in new}
    return new + tuple(kind for kind in old if getattr(kind, key) not in names)
