"""The graph as an analyst's objects: nodes and relationships of py2neo, tables of pandas, graphs of networkx.

Needs the packages of the extra `analyst`, and is never imported by what serves.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from cypher import statement
from cypher.saved import saved_query
from domain.errors import InvalidRequest, MissingExtra
from graph.store import GraphStore

MISSING = [name for name in ("py2neo", "networkx", "pandas", "matplotlib") if find_spec(name) is None]
LABELS = ("User", "Item", "Entity")
MAX_HOPS = 3


class Analyst:
    """A connection for exploring; a context manager. `graph` is the py2neo Graph, for whatever is not offered here.

    Raises: MissingExtra when packages are missing; GraphUnavailable, GraphRefused, UnsupportedServer.
    """

    def __init__(self, uri: str, username: str, password: str) -> None:
        if MISSING:
            raise MissingExtra(f"exploring needs {', '.join(MISSING)}: pip install 'clew[analyst]'")
        with GraphStore(uri, username, password) as store:
            store.verify()  # py2neo leaves a socket open where nobody answers
        import py2neo

        self.graph: Any = py2neo.Graph(uri, auth=(username, password))

    def __enter__(self) -> "Analyst":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes py2neo's connections. They are opened again when something is asked."""
        self.graph.service.connector.close()

    def node(self, label: str, node_id: str) -> Any:
        """A py2neo Node. label: User, Item or Entity. Raises: InvalidRequest when there is none."""
        return self._found(label, node_id)[0]

    def table(self, name: str, **parameters: object) -> Any:
        """A saved query (`clew graph queries`) as a pandas DataFrame. Raises: InvalidRequest for an unknown one."""
        query = saved_query(name)
        values = query.values({key: str(value) for key, value in parameters.items()})
        return self.graph.run(query.text, **values).to_data_frame()

    def ego(self, label: str, node_id: str, *, hops: int = 1, limit: int = 200) -> Any:
        """What is around a node, as a py2neo Subgraph of at most `limit` relationships per hop, rare neighbours first.

        hops: 1 to 3. A node without relationships is a Subgraph of itself.
        """
        if not 1 <= hops <= MAX_HOPS:
            raise InvalidRequest(f"hops must be 1 to {MAX_HOPS}, not {hops}", field="hops")
        import py2neo

        node, element_id = self._found(label, node_id)
        seen, frontier = {element_id}, [element_id]
        relationships: list[Any] = []
        for _ in range(hops):
            rows = self._rows("read/neighbourhood", {"element_ids": frontier, "limit": limit})
            relationships += [row["relationship"] for row in rows]
            ends = dict.fromkeys(end for row in rows for end in row["element_ids"])
            frontier = [end for end in ends if end not in seen]
            seen |= set(frontier)
        return py2neo.Subgraph([node], relationships)

    def paths(self, head: tuple[str, str], tail: tuple[str, str], *, k: int = 5) -> list[Any]:
        """The k shortest py2neo Paths between two nodes, each (label, id); up to four relationships long."""
        for label, node_id in (head, tail):
            self._found(label, node_id)
        slots = {"head": _label(head[0]), "tail": _label(tail[0])}
        values = {"head_id": head[1], "tail_id": tail[1], "limit": k}
        return [row["path"] for row in self._rows("read/shortest_paths", values, **slots)]

    def _found(self, label: str, node_id: str) -> tuple[Any, str]:
        """The node and its element id."""
        rows = self._rows("read/node_element", {"id": node_id}, label=_label(label))
        if not rows:
            raise InvalidRequest(f"no {label} {node_id!r} in the graph", field="node_id")
        return rows[0]["node"], rows[0]["element_id"]

    def _rows(self, name: str, parameters: Mapping[str, object], **slots: str) -> Sequence[Any]:
        return list(self.graph.run(statement(name, **slots), **parameters))


def to_networkx(*parts: Any) -> Any:
    """Subgraphs, paths and relationships of py2neo as one networkx MultiDiGraph.

    Nodes are keyed by (label, id), label User, Item or Entity, with the node's properties and `labels`; each
    relationship is an edge keyed by its type (for events by event_id) with its properties and `type`.
    """
    import networkx

    graph: Any = networkx.MultiDiGraph()
    for part in parts:
        for node in _all(part.nodes):
            graph.add_node(key_of(node), labels=sorted(node.labels), **_shown(node))
        for relationship in _all(part.relationships):
            kind, values = type(relationship).__name__, _shown(relationship)
            start, end = key_of(relationship.start_node), key_of(relationship.end_node)
            graph.add_edge(start, end, key=values.get("event_id", kind), type=kind, **values)
    return graph


def key_of(node: Any) -> tuple[str, str]:
    """(label, id) of a py2neo Node."""
    return next((label for label in LABELS if label in node.labels), ""), str(node["id"])


def _shown(entity: Any) -> dict[str, object]:
    """Properties without the embedding; times as Python's own, which can be copied."""
    kept = {name: value for name, value in dict(entity).items() if name not in ("embedding", "labels")}
    return {name: value.to_native() if hasattr(value, "to_native") else value for name, value in kept.items()}


def _all(parts: Iterable[Any]) -> list[Any]:
    return list(parts)


def _label(label: str) -> str:
    if label not in LABELS:
        raise InvalidRequest(f"a label is one of {', '.join(LABELS)}, not {label!r}", field="label")
    return label
