"""Cold starts by Cypher: what the graph says of stated tastes and of people with the same static profile."""

import logging
from collections.abc import Sequence
from typing import Any, cast

from domain.declarations import EventKind
from domain.errors import GraphRefused, GraphUnavailable
from recommend.ports import GraphReader
from recommend.subject import Subject, Taste
from recommend.world import View

LOGGER = logging.getLogger(__name__)
TIMEOUT_S = 1.0
WARM_UP_S = 10.0
MOST_PER_TASTE = 500
MOST_PEERS = 200
MOST_ITEMS = 1000


def items_of_tastes(
    graph: GraphReader | None, view: View, tastes: Sequence[Taste]
) -> dict[int, dict[tuple[int, int], float]] | None:
    """item row -> (relation code, entity row) -> what the taste is worth there. None: Neo4j does not answer."""
    declaration, catalogue = view.declaration, view.catalogue
    relations = [r.type for r in declaration.relation_types if "Item" in (r.head, r.tail) and not r.sensitive]
    entity_ids = {taste.entity_row: str(catalogue.entity_ids[taste.entity_row]) for taste in tastes}
    rows = _ask(
        graph,
        "cold_start/by_tastes",
        {
            "tastes": [{"entity_id": entity_ids[t.entity_row], "weight": t.weight} for t in tastes],
            "relations": relations,
            "per_taste": MOST_PER_TASTE,
            "limit": MOST_ITEMS,
        },
    )
    if rows is None:
        return None
    found: dict[int, dict[tuple[int, int], float]] = {}
    for row in rows:
        item_row = catalogue.item_rows.get(row["item_id"])
        if item_row is not None:
            keys = [
                (declaration.relation_code[s["type"]], catalogue.entity_rows[s["entity_id"]]) for s in row["shared"]
            ]
            values = [float(shared["value"]) for shared in row["shared"]]
            found[item_row] = dict(zip(keys, values, strict=True))
    return found


def items_of_people_alike(
    graph: GraphReader | None, view: View, subject: Subject
) -> dict[int, tuple[float, int, int]] | None:
    """item row -> (score, how many took it, how many were asked). None: no answer from Neo4j, or no profile."""
    entity_ids = static_entities(view, subject)
    if not entity_ids:
        return None
    relations = [r.type for r in view.declaration.relation_types if r.head == "User" and not r.sensitive]
    rows = _ask(
        graph,
        "cold_start/by_profile",
        {
            "user_id": subject.user_id,
            "entity_ids": entity_ids,
            "relations": relations,
            "kinds": [_counted(kind) for kind in view.declaration.event_kinds if kind.weight > 0],
            "users": max(len(view.snapshot.user_ids), 1),
            "peers": MOST_PEERS,
            "limit": MOST_ITEMS,
        },
    )
    if rows is None:
        return None
    known = view.catalogue.item_rows
    return {known[r["item_id"]]: (r["score"], r["liked"], r["peers"]) for r in rows if r["item_id"] in known}


def static_entities(view: View, subject: Subject) -> list[str]:
    """The ids of a user's static profile values that may be used."""
    rows = view.catalogue.entity_rows
    ends = subject.record.relations if subject.record else ()
    kinds = {r.type for r in view.declaration.relation_types if r.head == "User" and not r.sensitive}
    known = [end.entity_id for end in ends if end.type in kinds and end.entity_id in rows]
    return [entity_id for entity_id in known if not view.catalogue.is_sensitive(rows[entity_id])]


def _counted(kind: EventKind) -> dict[str, object]:
    return {"kind": kind.name, "least": min((least for least, factor in kind.steps if factor > 0), default=None)}


def _ask(graph: GraphReader | None, statement: str, parameters: dict[str, object]) -> list[dict[str, Any]] | None:
    if graph is None:
        return None
    try:
        return cast("list[dict[str, Any]]", graph.rows(statement, parameters, timeout_s=TIMEOUT_S))
    except GraphUnavailable:
        return None
    except GraphRefused as error:
        LOGGER.warning("%s: %s", statement, error)
        return None


def warm_up(graph: GraphReader) -> None:
    """Lets Neo4j plan the statements of this module, so that the first visitor need not wait for that."""
    tastes: dict[str, object] = {"tastes": [], "relations": [], "per_taste": 1, "limit": 1}
    people: dict[str, object] = {"user_id": "", "entity_ids": [], "relations": [], "kinds": [], "users": 1, "peers": 1}
    graph.rows("cold_start/by_tastes", tastes, timeout_s=WARM_UP_S)
    graph.rows("cold_start/by_profile", people | {"limit": 1}, timeout_s=WARM_UP_S)
