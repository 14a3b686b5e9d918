"""The plots of docs/quality.md, as SVG: equal results give equal files."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

from benchmarks.quality.rows import DATA_SETS

matplotlib.rcParams.update({"svg.hashsalt": "clew", "svg.fonttype": "none", "font.size": 9})
SIZE = (6.4, 4.0)
Results = dict[str, dict[str, Any]]


def draw(results: Results, folder: Path) -> dict[str, str]:
    """Writes what there are results for. File name -> title."""
    folder.mkdir(exist_ok=True)
    drawn = {
        "quality-time.svg": ("Ranking against training time, ML-100K", _time),
        "quality-users.svg": ("Recall by the number of events that a user is known by", _users),
        "quality-frontier.svg": ("Accuracy against diversity", _frontier),
    }
    titles: dict[str, str] = {}
    for name, (title, plot) in drawn.items():
        figure, axes = plt.subplots(figsize=SIZE, layout="constrained")
        if plot(axes, results):
            axes.set_title(title)
            axes.grid(alpha=0.3)
            figure.savefig(folder / name, metadata={"Date": None})
            titles[name] = title
        plt.close(figure)
    return titles


def _time(axes: Any, results: Results) -> bool:
    """One point per peer, at the seconds of its best trial, and the curve of the served model."""
    peers = [row for row in results.values() if row["row"].startswith("ml-100k.") and row["scorer"] != "fused"]
    for row in peers:
        seconds = max(row["runs"][0]["report"]["best_trial_s"], 0.01)
        axes.plot(seconds, row["figures"]["ndcg@10"], "o", color="tab:gray")
        axes.annotate(row["scorer"], (seconds, row["figures"]["ndcg@10"]), xytext=(4, 2), textcoords="offset points")
    for row in results.values():
        if row["command"] == "speed":
            points = row["runs"][0]["report"]["points"]
            axes.plot([each["seconds"] for each in points], [each["ndcg@10"] for each in points], "o-", label="fused")
            axes.legend()
    axes.set(xlabel="seconds of training with known hyperparameters", ylabel="NDCG@10, test", xscale="log")
    return bool(peers)


def _users(axes: Any, results: Results) -> bool:
    rows = [row for row in results.values() if row["command"] == "cold-users"]
    for row in rows:
        report = row["runs"][0]["report"]
        known = [name for name in report["by_events"] if name.isdigit()]
        values = [report["by_events"][name]["recall@10"]["mean"] for name in known]
        axes.plot([*map(int, known)], values, "o-", label=row["row"].removeprefix("cold-users."))
    if rows:
        axes.legend()
    axes.set(xlabel="events", ylabel="recall@10, test")
    return bool(rows)


def _frontier(axes: Any, results: Results) -> bool:
    found = False
    for dataset in DATA_SETS:
        rows = [results[row.name] for row in dataset.rows() if row.name in results]
        points = [(row["figures"].get("diversity@10"), row["figures"]["ndcg@10"], row["scorer"]) for row in rows]
        points = [point for point in points if point[0] is not None]
        if len(points) > 1:
            found = True
            axes.plot([x for x, _, _ in points], [y for _, y, _ in points], "o", label=dataset.title)
            for x, y, scorer in points:
                axes.annotate(scorer, (x, y), xytext=(3, 2), textcoords="offset points", fontsize=6)
    if found:
        axes.legend(fontsize=7)
    axes.set(xlabel="intra-list diversity@10", ylabel="NDCG@10, test")
    return found
