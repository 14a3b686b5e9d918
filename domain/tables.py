"""A data set on its way into the graph: columns of equal length, one table per label and relation."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.declarations import Declaration

Text = NDArray[np.object_]  # (n,) str; None where absent
Column = NDArray[np.generic]  # (n,) of one type; object columns hold None where absent


@dataclass(frozen=True)
class NodeTable:
    """Nodes of one label ("User", "Item" or an entity label), ids unique.

    ids: (n,) str; of entities in the form "Type:key".
    properties: name -> (n,) column. Items have `name`, `item_kind`, `available` (bool) and `created_at` (int
        ms UTC or None); entities have `name` (None: unnamed). Other properties are those the declaration names.
    """

    label: str
    ids: Text
    properties: dict[str, Column] = field(default_factory=dict[str, Column])


@dataclass(frozen=True)
class RelationTable:
    """Relationships of one declared type (or FOLLOWS, PREFERS), each (head, tail) once. weights: (m,) or None."""

    type: str
    head_label: str
    tail_label: str
    heads: Text
    tails: Text
    weights: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class EventTable:
    """Interactions, event ids unique. at: milliseconds since 1970 UTC. values: NaN where absent."""

    event_ids: Text
    user_ids: Text
    item_ids: Text
    kinds: Text
    values: NDArray[np.float64]
    at: NDArray[np.int64]
    session_ids: Text | None = None

    def __len__(self) -> int:
        return len(self.event_ids)


@dataclass(frozen=True)
class Dataset:
    """All that a source brings. Every id that a relation or an event names is in a node table."""

    name: str
    declaration: Declaration
    users: NodeTable
    items: NodeTable
    entities: tuple[NodeTable, ...]
    relations: tuple[RelationTable, ...]
    events: EventTable
