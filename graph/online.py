"""A data set into a running Neo4j, in batches. Twice equals once, and an interrupted load is completed by another."""

import numpy as np

from cypher import statement
from domain.progress import Progress
from domain.tables import Dataset, EventTable, NodeTable, RelationTable
from graph import columns
from graph.driver import Driver
from graph.schema import install_schema, write_marker

BATCH = 20_000
LOAD_ID = "load"


def load(driver: Driver, dataset: Dataset, progress: Progress, *, fingerprint: str) -> dict[str, int]:
    """Writes users, items, entities, relations and events; what is there already stays, with its properties renewed.

    The note (:Clew {id: "load"}) says "loading" until all is in. Returns: counts of the data set's rows by kind.
    """
    install_schema(driver, dataset.declaration)
    mark_load(driver, dataset.name, "loading", fingerprint)
    for name, table in (("users", dataset.users), ("items", dataset.items)):
        _nodes(driver, statement(f"write/{name}"), table, progress)
    for table in dataset.entities:
        _nodes(driver, statement("write/entities", label=table.label), table, progress)
    for relation in dataset.relations:
        _relations(driver, relation, progress)
    _events(driver, dataset.events, progress)
    _degrees(driver, dataset.entities, progress)
    mark_load(driver, dataset.name, "complete", fingerprint)
    return counts_of(dataset)


def mark_load(driver: Driver, source: str, state: str, fingerprint: str) -> None:
    """Notes how far the load of a source is: state "loading" or "complete"."""
    write_marker(driver, LOAD_ID, {"source": source, "state": state, "fingerprint": fingerprint})


def counts_of(dataset: Dataset) -> dict[str, int]:
    return {
        "users": len(dataset.users.ids),
        "items": len(dataset.items.ids),
        "entities": sum(len(table.ids) for table in dataset.entities),
        "relations": sum(len(relation.heads) for relation in dataset.relations),
        "events": len(dataset.events),
    }


def end_label(label: str) -> str:
    """The label by which an end of a relation is found: ids of all entity types are unique together."""
    return label if label in ("User", "Item") else "Entity"


def relation_statement(name: str, kind: str, head_label: str, tail_label: str) -> str:
    return statement(name, type=kind, head=end_label(head_label), tail=end_label(tail_label))


def _nodes(driver: Driver, text: str, table: NodeTable, progress: Progress) -> None:
    with progress.step(f"Loading {table.label}", len(table.ids)) as advance:
        for part in columns.slices(len(table.ids), BATCH):
            rows = columns.node_rows(table, part)
            driver.run(text, {"rows": rows})
            advance(len(rows))


def _relations(driver: Driver, relation: RelationTable, progress: Progress) -> None:
    text = relation_statement("write/relations", relation.type, relation.head_label, relation.tail_label)
    with progress.step(f"Loading {relation.type}", len(relation.heads)) as advance:
        for part in columns.slices(len(relation.heads), BATCH):
            weights = [] if relation.weights is None else relation.weights[part].astype(np.float64).tolist()
            heads = relation.heads[part].tolist()
            driver.run(text, {"heads": heads, "tails": relation.tails[part].tolist(), "weights": weights})
            advance(len(heads))


def _events(driver: Driver, events: EventTable, progress: Progress) -> None:
    with progress.step("Loading events", len(events)) as advance:
        for part in columns.slices(len(events), BATCH):
            parameters: dict[str, object] = {
                "event_ids": events.event_ids[part].tolist(),
                "user_ids": events.user_ids[part].tolist(),
                "item_ids": events.item_ids[part].tolist(),
                "kinds": events.kinds[part].tolist(),
                "values": columns.plain_list(events.values[part]),
                "at": events.at[part].tolist(),
                "session_ids": [] if events.session_ids is None else events.session_ids[part].tolist(),
                "recommendation_ids": [],
                "positions": [],
            }
            driver.run(statement("write/events"), parameters)
            advance(part.stop - part.start)


def _degrees(driver: Driver, entities: tuple[NodeTable, ...], progress: Progress) -> None:
    with progress.step("Counting degrees", sum(len(table.ids) for table in entities)) as advance:
        for table in entities:
            for part in columns.slices(len(table.ids), BATCH):
                driver.run(statement("write/degrees"), {"ids": table.ids[part].tolist()})
                advance(part.stop - part.start)
