"""Values of Neo4j as JSON: see domain.graph_answers for the forms."""

import math
from base64 import b64encode
from collections.abc import Mapping
from typing import cast

from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point
from neo4j.time import Date, DateTime, Duration, Time
from neo4j.vector import Vector

HIDDEN = frozenset({"embedding"})  # hundreds of numbers in every node; `RETURN item.embedding` shows them


def as_json(value: object) -> object:
    """The value as msgspec can encode it. Raises: RecursionError for one nested too deep."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else _not_finite(value)
        case DateTime() | Date() | Time() | Duration():
            return value.iso_format()
        case Point():
            return _point(value)
        case list() | tuple():
            return [as_json(inner) for inner in cast(list[object], value)]
        case dict():
            return {str(name): as_json(inner) for name, inner in cast(dict[object, object], value).items()}
        case Node():
            return _node(value)
        case Relationship():
            return _relationship(value)
        case Path():
            nodes = [_node(node) for node in value.nodes]
            return {"$type": "path", "nodes": nodes, "relationships": [_relationship(r) for r in value.relationships]}
        case Vector():
            return [as_json(inner) for inner in value.to_native()]
        case bytes() | bytearray():
            return b64encode(value).decode()
        case _:
            return str(value)


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _node(node: Node) -> dict[str, object]:
    properties = _properties(node)
    return {"$type": "node", "element_id": node.element_id, "labels": sorted(node.labels), "properties": properties}


def _relationship(relationship: Relationship) -> dict[str, object]:
    start, end = relationship.start_node, relationship.end_node
    return {
        "$type": "relationship",
        "element_id": relationship.element_id,
        "type": relationship.type,
        "start": start.element_id if start is not None else None,
        "end": end.element_id if end is not None else None,
        "properties": _properties(relationship),
    }


def _properties(entity: Node | Relationship) -> dict[str, object]:
    return {name: as_json(value) for name, value in cast(Mapping[str, object], entity).items() if name not in HIDDEN}


def _point(point: Point) -> dict[str, object]:
    return {"$type": "point", "srid": point.srid, **dict(zip("xyz", map(as_json, point), strict=False))}
