"""Pictures of an explanation as SVG and HTML: the graph of its paths, and its score split into bars."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from domain.answers import Part, Path, PathEdge, PathNode, Reason

NODE_WIDTH, NODE_HEIGHT, COLUMN_GAP, ROW_GAP = 138, 46, 44, 12
LINE = 20  # letters of a name that fit into a node
MOST_PATHS = 6
PARTS = {
    "entity": "Shared attributes",
    "behaviour": "Taken together",
    "taste": "Taste as a whole",
    "popularity": "Popularity",
    "people": "People alike",
    "cold_start": "Stated tastes",
    "impressions": "Shown and ignored",
    "query": "Words of the search",
    "rules": "Rules",
}


@dataclass(frozen=True)
class _Place:
    """A node at its place: x, y of its upper left corner. relation: by which a path comes to it."""

    node: PathNode
    relation: str
    x: float
    y: float


def path_graph(reasons: Sequence[Reason]) -> str:
    """The paths of the strongest reasons as one picture, from the user on the left to the item on the right.

    A full line is a relationship that Neo4j has, a dashed one was not confirmed. No path: empty text.
    """
    shown = [(reason, reason.path) for reason in reasons if reason.path is not None][:MOST_PATHS]
    if not shown:
        return ""
    depth = max(len(path.nodes) for _, path in shown)
    places = _placed([path for _, path in shown], depth)
    width = depth * NODE_WIDTH + (depth - 1) * COLUMN_GAP + 4
    height = max(place.y for place in places.values()) + NODE_HEIGHT + 4
    lines = "".join(_edges(path, reason.share, places, depth) for reason, path in shown)
    nodes = "".join(_node(place, is_end=key[0] in (0, depth - 1)) for key, place in places.items())
    title = escape("; ".join(reason.text for reason, _ in shown))
    return (
        f'<svg class="graph" viewBox="0 0 {width} {height}" style="max-width: {width}px" role="img">'
        f"<title>{title}</title>{lines}{nodes}</svg>"
    )


Key = tuple[int, str, str | None]


def _key(node: PathNode, place: int, length: int, depth: int) -> Key:
    """Its column, and who it is: one node is drawn once in a column. The item is always in the last."""
    column = depth - 1 if place == length - 1 else place
    return column, node.label, node.id if node.id is not None else str(node.count)


def _placed(paths: Sequence[Path], depth: int) -> dict[Key, _Place]:
    columns: list[dict[Key, tuple[PathNode, str]]] = [{} for _ in range(depth)]
    for path in paths:
        relations = ["", *(edge.type for edge in path.edges)]
        for place, (node, relation) in enumerate(zip(path.nodes, relations, strict=True)):
            key = _key(node, place, len(path.nodes), depth)
            columns[key[0]].setdefault(key, (node, relation))
    tallest = max(map(len, columns))
    total = tallest * NODE_HEIGHT + (tallest - 1) * ROW_GAP
    places: dict[Key, _Place] = {}
    for number, column in enumerate(columns):
        top = (total - len(column) * NODE_HEIGHT - (len(column) - 1) * ROW_GAP) / 2
        for row, (key, (node, relation)) in enumerate(column.items()):
            x, y = number * (NODE_WIDTH + COLUMN_GAP), top + row * (NODE_HEIGHT + ROW_GAP)
            places[key] = _Place(node, relation, x + 2, y + 2)
    return places


def _edges(path: Path, share: float, places: dict[Key, _Place], depth: int) -> str:
    keys = [_key(node, place, len(path.nodes), depth) for place, node in enumerate(path.nodes)]
    stroke = 1.4 + 5 * min(max(share, 0), 0.6)
    return "".join(
        _edge(edge, places[left], places[right], stroke)
        for edge, left, right in zip(path.edges, keys, keys[1:], strict=False)
    )


def _edge(edge: PathEdge, left: _Place, right: _Place, stroke: float) -> str:
    x1, x2 = left.x + NODE_WIDTH, right.x
    y1, y2 = left.y + NODE_HEIGHT / 2, right.y + NODE_HEIGHT / 2
    bend = (x2 - x1) / 2
    dashes = "" if edge.state == "stored" else ' stroke-dasharray="4 4"'
    told = [edge.type, edge.kind or "", (edge.at or "")[:10], edge.state]
    tip = escape(" · ".join(part for part in told if part))
    line = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path class="thread" d="{line}" stroke-width="{stroke:.1f}"{dashes}><title>{tip}</title></path>'


def _node(place: _Place, *, is_end: bool) -> str:
    node = place.node
    caption, name = _words(node, place.relation)
    look = "node end" if is_end else "node"
    x, y = place.x + 10, place.y
    return (
        f'<g class="{look}"><title>{escape(node.name or node.id or name)}</title>'
        f'<rect x="{place.x:g}" y="{y:g}" width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="8"/>'
        f'<text class="cap" x="{x:g}" y="{y + 17:g}">{escape(caption)}</text>'
        f'<text class="name" x="{x:g}" y="{y + 34:g}">{escape(name)}</text></g>'
    )


def _words(node: PathNode, relation: str) -> tuple[str, str]:
    """What stands small above, and large below. An entity without a name is told by what it is."""
    if node.label == "User":
        if node.count is not None:
            return "OTHERS", f"{node.count:,} people"
        return "USER", _cut(node.id or "this visitor")
    if node.label == "Item":
        return "ITEM", _cut(node.name or node.id or "")
    return (relation.replace("_", " ") or node.label.upper()), _cut(node.name or f"same {node.label.lower()}")


def _cut(text: str) -> str:
    return text if len(text) <= LINE else text[: LINE - 1].rstrip() + "…"


def score_bars(parts: Iterable[Part], score: float) -> str:
    """One bar per part: from the zero line to the right for what speaks for the item, to the left for the rest."""
    shown = [part for part in parts if abs(part.value) > 1e-9]
    low, high = min([0.0, *(part.value for part in shown)]), max([0.0, *(part.value for part in shown)])
    span = (high - low) or 1.0
    zero = -low / span * 100
    rows = "".join(_bar(PARTS.get(part.name, part.name), part.value, zero, span) for part in shown)
    total = f'<span class="sum">Score</span><span class="sum">&nbsp;</span><span class="value sum">{score:.2f}</span>'
    return f'<div class="bars">{rows}{total}</div>'


def _bar(name: str, value: float, zero: float, span: float) -> str:
    width = abs(value) / span * 100
    start = zero if value >= 0 else zero - width
    look = "bar" if value >= 0 else "bar minus"
    bar = f'<span class="{look}" style="left:{start:.2f}%;width:{width:.2f}%"></span>'
    line = f'<span class="zero" style="left:{zero:.2f}%"></span>'
    return f'<span>{escape(name)}</span><span class="track">{bar}{line}</span><span class="value">{value:+.2f}</span>'


def reason_list(reasons: Sequence[Reason], most: int) -> str:
    """Reasons by their shares; those that read alike are told once, with the sum. Equal percents stay as they came."""
    shares: dict[str, float] = {}
    told: dict[str, Reason] = {}
    for reason in reasons:
        shares[reason.text] = shares.get(reason.text, 0.0) + reason.share
        told.setdefault(reason.text, reason)
    first = sorted(told.values(), key=lambda reason: -round(shares[reason.text], 2))
    shown = [(f"{shares[reason.text]:.0%}", escape(reason.text) + _aside(reason)) for reason in first[:most]]
    rows = "".join(f'<li><span class="share">{share}</span><span>{text}</span></li>' for share, text in shown)
    return f'<ul class="reasons">{rows}</ul>'


def _aside(reason: Reason) -> str:
    notes = [
        f"{reason.more_paths} more paths" if reason.more_paths > 1 else "one more path" if reason.more_paths else ""
    ]
    if reason.path is not None and not reason.path.verified:
        notes.append("not confirmed in Neo4j")
    told = " · ".join(note for note in notes if note)
    return f' <span class="quiet small">({told})</span>' if told else ""
