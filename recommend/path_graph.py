"""The paths of an explanation as one networkx graph. Needs the extra `analyst`; imported only where it is asked for."""

import io
from typing import Any

import msgspec
import networkx as nx

from domain.answers import Explanation, Path, PathNode, Reason

OTHERS = "others"  # key of the group of people who took both items


def graph_of(explanation: Explanation, most: int | None = None) -> Any:
    """A MultiDiGraph of the paths of the reasons; `most`: of so many, the strongest.

    Nodes are keyed "Label:id" where the id does not say so itself: attributes label, id, name, role (user, event,
    between or item), count. An edge runs as the relationship does: type, kind, at, state, share (of the reasons that
    use it), context (whether only reasons without weight do).
    """
    graph: Any = nx.MultiDiGraph(item_id=explanation.item_id, score=explanation.score)
    if explanation.user_id is not None:
        graph.graph["user_id"] = explanation.user_id
    reasons = [reason for reason in explanation.reasons if reason.path is not None]
    for reason in reasons[:most]:
        if reason.path is not None:
            _add(graph, reason, reason.path)
    return graph


def as_graphml(explanation: Explanation) -> bytes:
    """GraphML; absent values are left out, for the format has no null."""
    graph = graph_of(explanation)
    for attributes in [values for _, values in graph.nodes(data=True)] + [v for _, _, v in graph.edges(data=True)]:
        for name in [name for name, value in attributes.items() if value is None]:
            del attributes[name]
    written = io.BytesIO()
    nx.write_graphml(graph, written, named_key_ids=True)
    return written.getvalue()


def as_node_link(explanation: Explanation) -> bytes:
    """The node-link JSON of networkx: `networkx.node_link_graph(json, edges="edges")` reads it back."""
    return msgspec.json.encode(nx.node_link_data(graph_of(explanation), edges="edges"))


def _add(graph: Any, reason: Reason, path: Path) -> None:
    keys = [_key(path, place) for place in range(len(path.nodes))]
    for place, node in enumerate(path.nodes):
        if keys[place] not in graph:
            graph.add_node(keys[place], **_attributes(node), role=_role(path, place))
    for place, edge in enumerate(path.edges):
        ends = keys[place : place + 2]
        forward = edge.start is None if path.nodes[place].id is None else edge.start == path.nodes[place].id
        start, end = ends if forward else reversed(ends)
        key = f"{edge.type} {edge.kind or ''} {edge.at or ''}".strip()
        if graph.has_edge(start, end, key):
            known = graph.edges[start, end, key]
            known["share"] += reason.share
            known["context"] &= reason.context
            continue
        shown = {"type": edge.type, "kind": edge.kind, "at": edge.at, "state": edge.state}
        graph.add_edge(start, end, key=key, **shown, share=reason.share, context=reason.context)


def _key(path: Path, place: int) -> str:
    """Of a node; the group of others is one for each event that it stands behind."""
    node = path.nodes[place]
    if node.id is None:
        return f"{OTHERS}:{path.nodes[place - 1].id}"
    return node.id if node.id.startswith(f"{node.label}:") else f"{node.label}:{node.id}"


def _attributes(node: PathNode) -> dict[str, object]:
    return {"label": node.label, "id": node.id, "name": node.name, "count": node.count}


def _role(path: Path, place: int) -> str:
    if place == len(path.nodes) - 1:
        return "item"
    node = path.nodes[place]
    if node.label == "User" and node.id is not None:
        return "user"
    return "event" if node.label == "Item" else "between"
