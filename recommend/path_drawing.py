"""The paths of an explanation as a picture: the user on the left, the recommended item on the right.

Needs the extra `analyst`; imported only where it is asked for. Nothing of pyplot is used: servers draw in threads.
"""

import io
import textwrap
import threading
import warnings
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from domain.answers import Explanation
from recommend.path_graph import graph_of

MOST_PATHS = 6
COLUMNS = {"user": 0, "event": 1, "between": 2, "item": 3}
FILLS = {"user": "#dbe7f6", "event": "#e3f1e4", "between": "#fdf0d5", "item": "#c8e6c9", "others": "#ececec"}
LINES = {"user": "#3f6ea5", "event": "#4f8f57", "between": "#c58a1b", "item": "#1b5e20", "others": "#777777"}
INK, FAINT = "#222222", "#666666"
STEP_X, BOX_W, BOX_H, STEP_Y = 4.3, 2.5, 0.78, 1.15
CJK = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "SimHei")
_one_at_a_time = threading.Lock()  # matplotlib's settings are those of the process

Point = tuple[float, float]


def draw(explanation: Explanation, file_format: str) -> bytes:
    """file_format: "png" or "svg". An explanation without a path gives a picture that says so."""
    graph = graph_of(explanation, MOST_PATHS)
    places = _places(graph)
    rows = max([1.0, *(1 + abs(y) * 2 / STEP_Y for _, y in places.values())])
    height = rows * STEP_Y + 1.1
    with _one_at_a_time, warnings.catch_warnings(), mpl.rc_context(_settings()):
        warnings.simplefilter("ignore", UserWarning)  # a glyph that no font has is a box
        figure: Any = Figure(figsize=(3 * STEP_X + BOX_W + 0.6, height), dpi=110, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(-BOX_W / 2 - 0.3, 3 * STEP_X + BOX_W / 2 + 0.3)
        axes.set_ylim(-rows * STEP_Y / 2 - 0.05, height - rows * STEP_Y / 2 - 0.05)
        axes.set_axis_off()
        _title(axes, explanation, rows * STEP_Y / 2 + 0.7, is_empty=not places)
        for start, end, edge in graph.edges(data=True):
            _edge(axes, places[start], places[end], edge)
        for key, node in graph.nodes(data=True):
            _node(axes, places[key], node)
        written = io.BytesIO()
        figure.savefig(written, format=file_format, metadata={"Date": None} if file_format == "svg" else None)
    return written.getvalue()


def _settings() -> dict[Any, Any]:
    known = {font.name for font in font_manager.fontManager.ttflist}
    return {"font.family": ["DejaVu Sans", *(name for name in CJK if name in known)], "svg.fonttype": "none"}


def _places(graph: Any) -> dict[str, Point]:
    """Columns by what a node is; in each column by where its neighbours to the right and left are."""
    columns: dict[int, list[str]] = {}
    for key, node in graph.nodes(data=True):
        columns.setdefault(COLUMNS[node["role"]], []).append(key)
    heights: dict[str, float] = {}
    for column in sorted(columns, key=lambda one: one not in (COLUMNS["event"], COLUMNS["between"])):
        keys = sorted(columns[column], key=lambda key: _mean_height(graph, key, heights))  # equal ones stay in order
        for place, key in enumerate(keys):
            heights[key] = (place - (len(keys) - 1) / 2) * STEP_Y
    return {key: (column * STEP_X, -heights[key]) for column, keys in columns.items() for key in keys}


def _mean_height(graph: Any, key: str, heights: Mapping[str, float]) -> float:
    near = [heights[one] for one in (*graph.predecessors(key), *graph.successors(key)) if one in heights]
    return sum(near) / len(near) if near else 0.0


def _title(axes: Any, explanation: Explanation, y: float, *, is_empty: bool) -> None:
    left = -BOX_W / 2
    axes.text(left, y, explanation.name, fontsize=15, weight="bold", color=INK, va="center", parse_math=False)
    rank = f", rank {explanation.rank}" if explanation.rank else ""
    whom = "a visitor" if explanation.user_id is None else f"user {explanation.user_id}"
    told = f"for {whom}: score {explanation.score:.3f}{rank}"
    if is_empty:
        told += "; no path leads here"
    axes.text(left, y - 0.38, told, fontsize=10, color=FAINT, va="center", parse_math=False)


def _node(axes: Any, place: Point, node: Mapping[str, Any]) -> None:
    kind = "others" if node["count"] is not None else node["role"]
    x, y = place
    box = FancyBboxPatch(
        (x - BOX_W / 2, y - BOX_H / 2),
        BOX_W,
        BOX_H,
        boxstyle="round,pad=0,rounding_size=0.14",
        facecolor=FILLS[kind],
        edgecolor=LINES[kind],
        linewidth=2.4 if kind == "item" else 1.3,
        zorder=3,
    )
    axes.add_patch(box)
    name, below = _words(node)
    lines = textwrap.wrap(name, 26, max_lines=2, placeholder=" …") or [name]
    axes.text(
        x,
        y + (0.1 if below else 0),
        "\n".join(lines),
        fontsize=10 if len(lines) == 1 else 9,
        color=INK,
        ha="center",
        va="center",
        zorder=4,
        parse_math=False,
        linespacing=1.0,
    )
    if below:
        axes.text(x, y - 0.27, below, fontsize=7, color=FAINT, ha="center", va="center", zorder=4, parse_math=False)


def _words(node: Mapping[str, Any]) -> tuple[str, str]:
    """What a box says, and the small line below it."""
    if node["count"] is not None:
        return f"{node['count']} other people", ""
    if node["role"] == "user":
        return f"user {node['id']}", ""
    below = f"{node['label']} {node['id'].removeprefix(node['label'] + ':')}"
    return node["name"] or f"{node['label']} without a name", below if len(below) <= 40 else below[:39] + "…"


def _edge(axes: Any, start: Point, end: Point, edge: Mapping[str, Any]) -> None:
    """An arrow as the relationship runs; dashed for context, dotted until it is known to be stored."""
    is_forward = start[0] <= end[0]
    left, right = (start, end) if is_forward else (end, start)
    ends = ((left[0] + BOX_W / 2, left[1]), (right[0] - BOX_W / 2, right[1]))
    style = "--" if edge["context"] else "-" if edge["state"] == "stored" else ":"
    arrow = FancyArrowPatch(
        *(ends if is_forward else reversed(ends)),
        arrowstyle="-|>",
        mutation_scale=13,
        linewidth=1.1 + 3.2 * min(edge["share"], 1.0),
        linestyle=style,
        color="#9a9a9a" if edge["context"] else "#5f6b78",
        shrinkA=1,
        shrinkB=1,
        zorder=1,
    )
    axes.add_patch(arrow)
    middle = ((ends[0][0] + ends[1][0]) / 2, (ends[0][1] + ends[1][1]) / 2)
    told = "\n".join(part for part in (edge["kind"] or edge["type"], (edge["at"] or "")[:10]) if part)
    backdrop = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    axes.text(
        *middle, told, fontsize=7, color=FAINT, ha="center", va="center", zorder=2, parse_math=False, bbox=backdrop
    )
