"""Why an item was recommended on a day: as the ledger has it, with every edge of its paths looked up now."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.answers import Path, PathEdge, PathNode, Reason
from domain.ledger import LedgerEntry, PastExplanation
from recommend.drafts import Edge, iso_time
from recommend.profiles import UserRecord
from recommend.subject import known_subject, tastes_of
from recommend.verify import Verifier
from recommend.world import View

GONE = "the graph no longer has {count} of the edges that were told"


def explained_then(
    view: View, entry: LedgerEntry, record: UserRecord | None, item_id: str, up_to_ms: int, verifier: Verifier
) -> PastExplanation:
    """entry: an answer that showed the item. record: of the user now, None for one who is not there any more."""
    shown = next(item for item in entry.items if item.item_id == item_id)
    candidate = next((one for one in entry.candidates if one.item_id == item_id), None)
    reasons = _checked(view, record, shown.reasons, verifier)
    states = [edge.state for reason in reasons if reason.path for edge in reason.path.edges]
    gone = states.count("gone")
    return PastExplanation(
        user_id=entry.user_id or "",
        item_id=item_id,
        name=shown.name,
        as_of=iso_time(up_to_ms),
        at=entry.at,
        recommendation_id=entry.recommendation_id,
        rank=shown.rank,
        score=shown.score,
        strategy=entry.strategy,
        model_version=entry.model_version,
        graph=entry.graph,
        parts=candidate.parts if candidate else {},
        rules=shown.rules,
        reasons=reasons,
        notes=(*entry.notes, *((GONE.format(count=gone),) if gone else ())),
    )


def _checked(
    view: View, record: UserRecord | None, reasons: Sequence[Reason], verifier: Verifier
) -> tuple[Reason, ...]:
    paths = [reason.path for reason in reasons if reason.path is not None]
    edges = {edge for path in paths for edge in _edges(path) if edge is not None}
    found = verifier.found(edges)
    held = _held(view, record)

    def state(edge: Edge | None) -> str:
        if edge is None or found is None:
            return "unchecked"
        return "stored" if edge in found else "pending" if _key(edge) in held else _or_relation(view, edge)

    def checked(path: Path) -> Path:
        states = [state(edge) for edge in _edges(path)]
        told = tuple(msgspec.structs.replace(edge, state=now) for edge, now in zip(path.edges, states, strict=True))
        return msgspec.structs.replace(path, edges=told, verified=all(now == "stored" for now in states))

    return tuple(
        reason if reason.path is None else msgspec.structs.replace(reason, path=checked(reason.path))
        for reason in reasons
    )


def _edges(path: Path) -> list[Edge | None]:
    """What to look up for each edge; None for those of the group of others, who were never named."""
    return [_edge(edge, *path.nodes[place : place + 2]) for place, edge in enumerate(path.edges)]


def _edge(edge: PathEdge, left: PathNode, right: PathNode) -> Edge | None:
    if edge.start is None or edge.end is None:
        return None
    forward = left.label == "User" or (right.label != "User" and left.id == edge.start)
    start, end = (left, right) if forward else (right, left)
    at = None if edge.at is None else round(datetime.fromisoformat(edge.at).timestamp() * 1000)
    return Edge(edge.type, _label(start), edge.start, _label(end), edge.end, edge.kind, at)


def _label(node: PathNode) -> str:
    return node.label if node.label in ("User", "Item") else "Entity"


def _held(view: View, record: UserRecord | None) -> set[tuple[object, ...]]:
    """Events and tastes of the user that came with the log: Neo4j may not hold them yet."""
    if record is None:
        return set()
    deeds = [deed for deed in known_subject(view, record).deeds if deed.source == "log"]
    events: set[tuple[object, ...]] = {
        ("INTERACTED", view.catalogue.item_ids[one.item_row], one.kind.name, one.at) for one in deeds
    }
    tastes = [taste for taste in tastes_of(view, record) if taste.source == "log"]
    return events | {("PREFERS", view.catalogue.entity_ids[one.entity_row], None, None) for one in tastes}


def _key(edge: Edge) -> tuple[object, ...]:
    return edge.type, edge.end_id, edge.kind, edge.at


def _or_relation(view: View, edge: Edge) -> str:
    """ "pending" where the log joined an item and an entity that Neo4j has not joined; "gone" where they are parted."""
    knowledge = view.catalogue.knowledge
    ends = {edge.start_label: edge.start_id, edge.end_label: edge.end_id}
    item = view.catalogue.item_rows.get(ends.get("Item", ""), -1)
    link = view.declaration.relation_code.get(edge.type), view.catalogue.entity_rows.get(ends.get("Entity", ""))
    return "pending" if link in knowledge.changed_left.get(item, ()) else "gone"
