"""The plots of docs/quality.md, as SVG: equal results give equal files."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks.quality.rows import DATA_SETS, PEERS, WITH_GRAPH, DataSet

matplotlib.rcParams.update({"svg.hashsalt": "clew", "svg.fonttype": "none", "font.size": 9})
SIZE = (6.4, 4.0)
ENOUGH = 0.6  # of the best NDCG: worse ones would squeeze the others together
ACROSS = 3  # panels of the frontier in a row
SHOWN = ("fused", *PEERS, *WITH_GRAPH)  # scorers, each with a mark of its own
Results = dict[str, dict[str, Any]]


def draw(results: Results, folder: Path) -> dict[str, str]:
    """Writes what there are results for. File name -> title."""
    folder.mkdir(exist_ok=True)
    drawn = {
        "quality-time.svg": ("Ranking against training time, ML-100K", _time),
        "quality-users.svg": ("Recall by the number of events that a user is known by", _users),
        "quality-frontier.svg": (f"Accuracy against diversity (NDCG of {ENOUGH:.0%} of the best or more)", _frontier),
    }
    titles: dict[str, str] = {}
    for name, (title, plot) in drawn.items():
        figure = plt.figure(figsize=SIZE, layout="constrained")
        if plot(figure, results):
            figure.suptitle(title)
            for axes in figure.axes:
                axes.grid(alpha=0.3)
            figure.savefig(folder / name, metadata={"Date": None})
            titles[name] = title
        plt.close(figure)
    return titles


def _time(figure: Figure, results: Results) -> bool:
    """One point per peer, at the seconds of its best trial, and the curve of the served model."""
    axes: Any = figure.subplots()
    peers = [row for row in results.values() if row["row"].startswith("ml-100k.") and row["scorer"] != "fused"]
    for row in peers:
        seconds = max(row["runs"][0]["report"]["best_trial_s"], 0.01)
        axes.plot(seconds, row["figures"]["ndcg@10"], linestyle="", label=row["scorer"], **_mark(row["scorer"]))
    for row in results.values():
        if row["command"] == "speed":
            points = row["runs"][0]["report"]["points"]
            curve = ([each["seconds"] for each in points], [each["ndcg@10"] for each in points])
            axes.plot(*curve, label="fused", **_mark("fused"))
    if peers:
        figure.legend(loc="outside right upper", fontsize=8)
    axes.set(xlabel="seconds of training with known hyperparameters", ylabel="NDCG@10, test", xscale="log")
    return bool(peers)


def _users(figure: Figure, results: Results) -> bool:
    axes: Any = figure.subplots()
    rows = [row for row in results.values() if row["command"] == "cold-users"]
    for row in rows:
        report = row["runs"][0]["report"]
        known = [name for name in report["by_events"] if name.isdigit()]
        values = [report["by_events"][name]["recall@10"]["mean"] for name in known]
        axes.plot([*map(int, known)], values, "o-", label=row["row"].removeprefix("cold-users."))
    if rows:
        figure.legend(loc="outside right upper", fontsize=8)
    axes.set(xlabel="events", ylabel="recall@10, test")
    return bool(rows)


def _frontier(figure: Figure, results: Results) -> bool:
    """A panel for each data set with at least two scorers; a line joins those that no other one beats in both."""
    panels = {dataset.title: _accuracy_and_diversity(dataset, results) for dataset in DATA_SETS}
    panels = {title: points for title, points in panels.items() if len(points) > 1}
    if not panels:
        return False
    figure.set_size_inches(9.6, 3.2 * -(-len(panels) // ACROSS))
    grid: Any = figure.subplots(-(-len(panels) // ACROSS), ACROSS, squeeze=False)
    shown = dict[str, Any]()
    for axes, (title, points) in zip(grid.flat, panels.items(), strict=False):
        for scorer, (diversity, ndcg) in points.items():
            (shown[scorer],) = axes.plot(diversity, ndcg, linestyle="", **_mark(scorer))
        best = [max(ndcg for other, ndcg in points.values() if other >= diversity) for diversity, _ in points.values()]
        front = sorted(point for point, most in zip(points.values(), best, strict=True) if point[1] == most)
        axes.plot(*zip(*front, strict=True), color="gray", linewidth=0.8, zorder=0)
        axes.set_title(title.partition(" (nobody")[0], fontsize=9)
        axes.set(xlabel="intra-list diversity@10", ylabel="NDCG@10, test")
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    order = [scorer for scorer in SHOWN if scorer in shown]
    figure.legend([shown[scorer] for scorer in order], order, loc="outside lower center", ncols=7, fontsize=8)
    return True


def _mark(scorer: str) -> dict[str, Any]:
    place = SHOWN.index(scorer)
    return {"marker": "os^DvP*"[place % 7], "color": f"C{place % 10}", "alpha": 0.8}


def _accuracy_and_diversity(dataset: DataSet, results: Results) -> dict[str, tuple[float, float]]:
    """Scorer -> diversity@10 and NDCG@10, where both are known, and the latter is ENOUGH of the best."""
    rows = [results[row.name] for row in dataset.rows() if row.name in results]
    figures = {row["scorer"]: row["figures"] for row in rows}
    most = max((own["ndcg@10"] for own in figures.values()), default=0.0)
    return {
        scorer: (own["diversity@10"], own["ndcg@10"])
        for scorer, own in figures.items()
        if own.get("diversity@10") is not None and own["ndcg@10"] >= ENOUGH * most
    }
