"""How healthy the knowledge is: what hangs together, what joins everything, what stands alone."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import MissingExtra
from domain.snapshot import Snapshot

MOST_HUBS = 10


@dataclass(frozen=True)
class Health:
    """Of items and entities, joined by relations of whatever type.

    components: sizes, largest first. alone: items without any relation. hubs: (entity id, name, items), largest first.
    item_degrees, entity_degrees: (n,) how many neighbours each has.
    """

    items: int
    entities: int
    relations: int
    components: tuple[int, ...]
    alone: tuple[str, ...]
    hubs: tuple[tuple[str, str | None, int], ...]
    item_degrees: NDArray[np.int64]
    entity_degrees: NDArray[np.int64]


def knowledge_graph(snapshot: Snapshot) -> Any:
    """Items and entities as an undirected networkx Graph, its nodes keyed ("Item", id) and ("Entity", id).

    Raises: MissingExtra without the extra `analyst`.
    """
    networkx = _need("networkx")
    keys = {
        "item": [("Item", str(each)) for each in snapshot.item_ids],
        "entity": [("Entity", str(each)) for each in snapshot.entity_ids],
    }
    graph = networkx.Graph()
    for nodes in keys.values():
        graph.add_nodes_from(nodes)
    for relation in snapshot.relations:
        if relation.head_kind in keys and relation.tail_kind in keys:
            heads, tails = keys[relation.head_kind], keys[relation.tail_kind]
            ends = zip(relation.heads.tolist(), relation.tails.tolist(), strict=True)
            graph.add_edges_from((heads[head], tails[tail]) for head, tail in ends)
    return graph


def examine(snapshot: Snapshot) -> Health:
    """The report. An empty graph gives empty parts. Raises: MissingExtra without the extra `analyst`."""
    networkx = _need("networkx")
    graph = knowledge_graph(snapshot)
    names = dict(zip(map(str, snapshot.entity_ids), snapshot.entity_names, strict=True))
    items = [node for node in graph if node[0] == "Item"]
    entities = [node for node in graph if node[0] == "Entity"]
    joined = {node: sum(other[0] == "Item" for other in graph[node]) for node in entities}
    hubs = sorted(joined, key=lambda node: (-joined[node], node))[:MOST_HUBS]
    return Health(
        items=len(items),
        entities=len(entities),
        relations=graph.number_of_edges(),
        components=tuple(sorted(map(len, networkx.connected_components(graph)), reverse=True)),
        alone=tuple(sorted(node[1] for node in items if graph.degree(node) == 0)),
        hubs=tuple((node[1], names[node[1]], joined[node]) for node in hubs),
        item_degrees=np.array([graph.degree(node) for node in items], dtype=np.int64),
        entity_degrees=np.array([graph.degree(node) for node in entities], dtype=np.int64),
    )


def plot_degrees(health: Health) -> Any:
    """A matplotlib Figure: how many items and entities have at least so many neighbours, both axes logarithmic."""
    figure: Any = _need("matplotlib.figure").Figure(figsize=(7, 4), layout="constrained")
    axes: Any = figure.subplots()
    for label, degrees in (("items", health.item_degrees), ("entities", health.entity_degrees)):
        positive = np.sort(degrees[degrees > 0])
        values, first = np.unique(positive, return_index=True)
        if len(values):
            axes.step(values, len(positive) - first, where="pre", label=label)
            axes.set(xscale="log", yscale="log")
    axes.set(xlabel="neighbours", ylabel="how many have at least so many")
    if axes.lines:
        axes.legend()
    return figure


def save_degrees(health: Health, path: Path) -> None:
    """The plot as a file; its ending (.png, .svg, .pdf) says the form."""
    plot_degrees(health).savefig(path)


def _need(name: str) -> Any:
    """A package of the extra."""
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra(f"this report needs {name}: pip install 'clew[analyst]'") from error
