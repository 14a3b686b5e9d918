"""A path before it is checked: what it says, and the edges that must exist for it to be true."""

from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import Struct

from domain.answers import PathEdge, PathNode
from recommend.subject import Deed, Subject, Taste
from recommend.world import View

UNCHECKED = "unchecked"
LEAST_OTHERS = 5  # below this many others a behavioural reason could tell who they are


class Edge(Struct, frozen=True):
    """A relationship that must exist. start_label, end_label: User, Item or Entity.

    kind, at (ms UTC): of an INTERACTED relationship, None for any. is_new: it came with the log after the snapshot.
    """

    type: str
    start_label: str
    start_id: str
    end_label: str
    end_id: str
    kind: str | None = None
    at: int | None = None
    is_new: bool = False


class Step(Struct, frozen=True):
    """One edge as the answer shows it, and what it stands for: one relationship, or those of the group of others."""

    shown: PathEdge
    needs: tuple[Edge, ...]


@dataclass(frozen=True)
class DraftPath:
    """Nodes in walking order, one step between each two. statement: shows the path in Neo4j Browser.

    witness: one of the others, if there are any; not shown unless an admin asks.
    """

    nodes: tuple[PathNode, ...]
    steps: tuple[Step, ...]
    statement: str
    parameters: dict[str, str]
    relation: str | None = None
    witness: str | None = None


def iso_time(at_ms: int) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def attribute_path(view: View, subject: Subject, deed: Deed, code: int, entity_row: int, item_row: int) -> DraftPath:
    """(you)-[INTERACTED]->(event item)-[r]-(entity)-[r]-(item). A session's path begins at its item."""
    nodes, steps = _beginning(view, subject, deed)
    nodes += [_entity_node(view, entity_row), item_node(view, item_row)]
    steps += [_relation_step(view, code, deed.item_row, entity_row), _relation_step(view, code, item_row, entity_row)]
    return DraftPath(
        tuple(nodes),
        tuple(steps),
        "explain/show_attribute" if deed.is_kept else "explain/show_shared",
        {
            "user_id": subject.user_id or "",
            "event_item_id": view.catalogue.item_ids[deed.item_row],
            "entity_id": view.catalogue.entity_ids[entity_row],
            "item_id": view.catalogue.item_ids[item_row],
        },
        view.catalogue.relation(code).type,
    )


def behaviour_path(view: View, subject: Subject, deed: Deed, others: "Others", item_row: int) -> DraftPath:
    """(you)-[INTERACTED]->(event item)<-[INTERACTED]-(so many others)-[INTERACTED]->(item). Nobody is named."""
    nodes, steps = _beginning(view, subject, deed)
    nodes += [PathNode(label="User", id=None, name=None, count=others.count), item_node(view, item_row)]
    for row in (deed.item_row, item_row):
        item_id = view.catalogue.item_ids[row]
        needs = tuple(Edge("INTERACTED", "User", user_id, "Item", item_id) for user_id in others.witnesses)
        steps.append(Step(PathEdge(type="INTERACTED", start=None, end=item_id, state=UNCHECKED), needs))
    parameters = {
        "user_id": subject.user_id or "",
        "event_item_id": view.catalogue.item_ids[deed.item_row],
        "item_id": view.catalogue.item_ids[item_row],
    }
    statement = "explain/show_behaviour" if deed.is_kept else "explain/show_together"
    return DraftPath(tuple(nodes), tuple(steps), statement, parameters, witness=others.witnesses[0])


def taste_path(view: View, subject: Subject, taste: Taste, code: int, item_row: int) -> DraftPath:
    """(you)-[PREFERS]->(entity)-[r]-(item). A taste that only this request states begins at the entity."""
    entity_id = view.catalogue.entity_ids[taste.entity_row]
    nodes = [_entity_node(view, taste.entity_row), item_node(view, item_row)]
    steps = [_relation_step(view, code, item_row, taste.entity_row)]
    user_id = subject.user_id
    if taste.source != "request" and user_id is not None:
        nodes.insert(0, PathNode(label="User", id=user_id, name=None))
        edge = Edge("PREFERS", "User", user_id, "Entity", entity_id, is_new=taste.source == "log")
        steps.insert(0, Step(PathEdge(type="PREFERS", start=user_id, end=entity_id, state=UNCHECKED), (edge,)))
    parameters = {
        "user_id": user_id or "",
        "entity_id": entity_id,
        "item_id": view.catalogue.item_ids[item_row],
    }
    statement = "explain/show_preference" if len(nodes) == 3 else "explain/show_relation"
    return DraftPath(tuple(nodes), tuple(steps), statement, parameters, view.catalogue.relation(code).type)


def item_node(view: View, item_row: int) -> PathNode:
    return PathNode(label="Item", id=view.catalogue.item_ids[item_row], name=view.catalogue.item_names[item_row])


@dataclass(frozen=True)
class Others:
    """People who took two items. count: how many; witnesses: LEAST_OTHERS of them, for the check only, never shown."""

    count: int
    witnesses: tuple[str, ...]


def _entity_node(view: View, entity_row: int) -> PathNode:
    name = view.catalogue.entity_names[entity_row]
    return PathNode(label=view.catalogue.label(entity_row), id=view.catalogue.entity_ids[entity_row], name=name)


def _beginning(view: View, subject: Subject, deed: Deed) -> tuple[list[PathNode], list[Step]]:
    """The user and their event, or just the item where the event is not one of the graph."""
    item = item_node(view, deed.item_row)
    if not deed.is_kept or subject.user_id is None or item.id is None:
        return [item], []
    edge = Edge(
        "INTERACTED", "User", subject.user_id, "Item", item.id, deed.kind.name, deed.at, is_new=deed.source == "log"
    )
    shown = PathEdge(
        type="INTERACTED",
        start=subject.user_id,
        end=item.id,
        kind=deed.kind.name,
        at=iso_time(deed.at),
        state=UNCHECKED,
    )
    return [PathNode(label="User", id=subject.user_id, name=None), item], [Step(shown, (edge,))]


def _relation_step(view: View, code: int, item_row: int, entity_row: int) -> Step:
    relation = view.catalogue.relation(code)
    ends = [("Item", view.catalogue.item_ids[item_row]), ("Entity", view.catalogue.entity_ids[entity_row])]
    if relation.head != "Item":
        ends.reverse()
    (start_label, start), (end_label, end) = ends
    is_new = item_row in view.catalogue.knowledge.changed_left
    edge = Edge(relation.type, start_label, start, end_label, end, is_new=is_new)
    return Step(PathEdge(type=relation.type, start=start, end=end, state=UNCHECKED), (edge,))
