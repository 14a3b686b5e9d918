"""Whether the edges of paths exist in Neo4j now: one batched question per list, within a budget."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import msgspec

from domain.answers import Path
from domain.errors import GraphRefused, GraphUnavailable
from recommend.drafts import DraftPath, Edge, Step
from recommend.ports import GraphReader

LOGGER = logging.getLogger(__name__)
STATEMENT = "explain/verify_edges"
Found = Mapping[Edge, str | None]  # edges that Neo4j has -> the event's id, of an event


class Verifier:
    """Checks paths. graph None, or no answer within timeout_s: every edge is "unchecked". Nothing is remembered."""

    def __init__(self, graph: GraphReader | None, *, timeout_s: float) -> None:
        self._graph = graph
        self._timeout_s = timeout_s
        self.has_answered = False

    def check(self, drafts: Sequence[DraftPath]) -> list[Path | None]:
        """Each path with the state of its edges; None for a path of which an edge is neither stored nor pending."""
        found = self.found({edge for draft in drafts for step in draft.steps for edge in step.needs})
        return [_checked(draft, found) for draft in drafts]

    def found(self, edges: set[Edge]) -> Found | None:
        """Those of the edges that Neo4j has; None when it does not answer in time."""
        if self._graph is None or not edges:
            return None
        ordered = sorted(edges, key=lambda edge: (edge.type, edge.start_id, edge.end_id, edge.at or 0))
        try:
            rows = self._graph.rows(STATEMENT, _parameters(ordered), timeout_s=self._timeout_s)
        except GraphUnavailable:
            return None
        except GraphRefused as error:
            LOGGER.info("%s: %s", STATEMENT, error)  # most often: out of time
            return None
        self.has_answered = True
        return {ordered[cast(int, row["place"])]: cast("str | None", row["event_id"]) for row in rows}


def warm_up(graph: GraphReader, *, timeout_s: float) -> None:
    """Lets Neo4j plan the check, which takes longer than any check."""
    graph.rows(STATEMENT, _parameters([]), timeout_s=timeout_s)


def _parameters(edges: Sequence[Edge]) -> dict[str, list[dict[str, object]]]:
    """The edges by the labels of their ends, each with its place."""
    lists: dict[str, list[dict[str, object]]] = {"events": [], "item_relations": [], "user_relations": []}
    for place, edge in enumerate(edges):
        if edge.type == "INTERACTED":
            ends = {"user_id": edge.start_id, "item_id": edge.end_id, "kind": edge.kind, "at": edge.at}
            lists["events"].append({"place": place, **ends})
        elif edge.start_label == "User":
            ends = {"user_id": edge.start_id, "entity_id": edge.end_id, "type": edge.type}
            lists["user_relations"].append({"place": place, **ends})
        else:
            outgoing = edge.start_label == "Item"
            item_id, entity_id = (edge.start_id, edge.end_id) if outgoing else (edge.end_id, edge.start_id)
            ends = {"item_id": item_id, "entity_id": entity_id, "type": edge.type, "outgoing": outgoing}
            lists["item_relations"].append({"place": place, **ends})
    return lists


def _checked(draft: DraftPath, found: Found | None) -> Path | None:
    states = [_state(step, found) for step in draft.steps]
    if "missing" in states:
        return None
    edges = tuple(
        msgspec.structs.replace(step.shown, state=state, event_id=_event_id(step, found))
        for step, state in zip(draft.steps, states, strict=True)
    )
    return Path(nodes=draft.nodes, edges=edges, verified=_all_stored(states))


def _state(step: Step, found: Found | None) -> str:
    """stored, pending (the log has it, Neo4j not yet), unchecked, or missing: somebody removed it from the graph."""
    if found is None:
        return "unchecked"
    absent = [edge for edge in step.needs if edge not in found]
    if not absent:
        return "stored"
    return "pending" if all(edge.is_new for edge in absent) else "missing"


def _event_id(step: Step, found: Found | None) -> str | None:
    """Of the user's own event; nothing is said of the events of others."""
    return None if found is None or step.shown.start is None else found.get(step.needs[0])


def _all_stored(states: Iterable[str]) -> bool:
    return all(state == "stored" for state in states)
