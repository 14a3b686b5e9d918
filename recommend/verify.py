"""Whether the edges of paths exist in Neo4j now: one batched question per list, within a budget."""

import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
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
    """Checks the paths of one answer. Nothing is remembered.

    graph None, or no answer within timeout_s, which is for all questions together: every edge is "unchecked".
    """

    def __init__(self, graph: GraphReader | None, *, timeout_s: float) -> None:
        self._graph = graph
        self._left_s = timeout_s
        self.has_answered = False

    def check(self, drafts: Sequence[DraftPath]) -> list[Path | None]:
        """Each path with the state of its edges; None for a path of which an edge is neither stored nor pending."""
        found = self.found({edge for draft in drafts for step in draft.steps for edge in step.needs})
        return [_checked(draft, found) for draft in drafts]

    def found(self, edges: Collection[Edge]) -> Found | None:
        """Those of the edges that Neo4j has; None when it does not answer in time."""
        if self._graph is None or not edges or self._left_s <= 0:
            return None
        question, began = Question.about(edges), time.perf_counter()
        try:
            rows = self._graph.rows(STATEMENT, question.parameters, timeout_s=self._left_s)
        except GraphUnavailable:
            return None
        except GraphRefused as error:
            LOGGER.info("%s: %s", STATEMENT, error)  # most often: out of time
            return None
        finally:
            self._left_s -= time.perf_counter() - began
        self.has_answered = True
        return question.answered(rows)


@dataclass(frozen=True)
class Question:
    """The edges by what finds them in Neo4j, list by list as the statement takes them."""

    events: list[Edge]
    taken: dict[str, list[Edge]]  # item id -> events of any kind with it
    outgoing: list[Edge]
    incoming: list[Edge]
    stated: list[Edge]

    @classmethod
    def about(cls, edges: Collection[Edge]) -> "Question":
        question = cls([], {}, [], [], [])
        for edge in edges:
            if edge.type != "INTERACTED":
                ends = (edge.start_label, edge.end_label)
                from_item = question.outgoing if ends[0] == "Item" else question.incoming
                (question.stated if ends[0] == "User" else from_item).append(edge)
            elif edge.kind is None:
                question.taken.setdefault(edge.end_id, []).append(edge)
            else:
                question.events.append(edge)
        return question

    @property
    def parameters(self) -> dict[str, dict[str, object]]:
        taken = list(self.taken.values())
        return {
            "events": {
                "users": [edge.start_id for edge in self.events],
                "items": [edge.end_id for edge in self.events],
                "kinds": [edge.kind for edge in self.events],
                "times": [edge.at for edge in self.events],
            },
            "taken": {
                "items": list(self.taken),
                "users": [[edge.start_id for edge in of_item] for of_item in taken],
                "starts": list(accumulate(map(len, taken), initial=0)),
            },
            "outgoing": _ends(self.outgoing, "items", "entities"),
            "incoming": _ends(self.incoming, "entities", "items"),
            "stated": _ends(self.stated, "users", "entities"),
        }

    def answered(self, rows: Sequence[Mapping[str, object]]) -> Found:
        found: dict[Edge, str | None] = {}
        lists = {
            "taken": [edge for of_item in self.taken.values() for edge in of_item],
            "outgoing": self.outgoing,
            "incoming": self.incoming,
            "stated": self.stated,
        }
        for row in rows:
            places = cast(list[int], row["places"])
            if row["list"] == "events":
                event_ids = cast(list[str], row["event_ids"])
                found |= {self.events[at]: of or None for at, of in zip(places, event_ids, strict=True)}
            else:
                asked = lists[cast(str, row["list"])]
                found |= {asked[place]: None for place in places}
        return found


def warm_up(graph: GraphReader, *, timeout_s: float) -> None:
    """Lets Neo4j plan the check, which takes longer than any check."""
    graph.rows(STATEMENT, Question.about(()).parameters, timeout_s=timeout_s)


def _ends(edges: Sequence[Edge], starts: str, ends: str) -> dict[str, object]:
    return {
        starts: [edge.start_id for edge in edges],
        "types": [edge.type for edge in edges],
        ends: [edge.end_id for edge in edges],
    }


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
