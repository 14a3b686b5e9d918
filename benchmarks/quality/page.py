"""docs/quality.md and its plots, from the results there are."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.quality.plots import draw
from benchmarks.quality.rows import DATA_SETS, ROWS, DataSet
from benchmarks.quality.run import RESULTS

DOCS = Path(__file__).parents[2] / "docs"
INTRODUCTION = """\
# How well it ranks

Written by `make bench-quality` from `benchmarks/results/quality/`; each row's file there holds its command, seeds,
hyperparameters, versions and machine. Every scorer was tuned on the validation part, within the budget in its row, and
trained on the training part only; all items are ranked, but those that the user had before. Figures of scorers that
depend on chance are means over the seeds. Diversity goes by the items' attributes where the data has a graph, and by
who took them where it has none: compare it within one data set.

How to run your own data or scorer: [bench.md](bench.md).
"""
MORE = ("coverage@10", "diversity@10", "novelty@10")
Result = dict[str, Any]


def write_page() -> None:
    """Rows without a result are not on the page."""
    results = read_results()
    plots = draw(results, DOCS / "images")
    sections = [INTRODUCTION, *(_data_set(each, results) for each in DATA_SETS)]
    sections += [_cold_items(results), _cold_users(results), _controls(results), _share(results), _speed(results)]
    sections += [f"![{title}](images/{name})\n" for name, title in plots.items()]
    (DOCS / "quality.md").write_text("\n".join(section for section in sections if section), encoding="utf-8")


def read_results() -> dict[str, Result]:
    """Row name -> what its file holds, in the order of the table of rows."""
    files = {row.name: RESULTS / f"{row.name}.json" for row in ROWS}
    return {name: json.loads(file.read_text()) for name, file in files.items() if file.is_file()}


def _data_set(dataset: DataSet, results: dict[str, Result]) -> str:
    found = [results[row.name] for row in dataset.rows() if row.name in results]
    if not found:
        return ""
    metrics = (*dataset.headline, *(name for name in ("recall@10", "ndcg@10") if name not in dataset.headline), *MORE)
    found.sort(key=lambda result: -result["figures"][dataset.headline[0]])
    rows = [
        (
            f"`{result['scorer']}`",
            *(f"{result['figures'][name]:.4f}" for name in metrics),
            str(len(result["runs"])),
            ", ".join(str(run["report"]["trials"]) for run in result["runs"]),
            _budget(result["effort"]),
            f"{_mean(run['report']['seconds']['tune'] for run in result['runs']):.0f}",
            f"{max(run['report']['peak_mib'] for run in result['runs']):,}",
        )
        for result in found
    ]
    columns = ("scorer", *metrics, "seeds", "trials", "budget", "seconds of search", "peak MiB")
    return _section(dataset.title, _machines(found), _table(columns, rows), _command(found[0]))


def _budget(effort: dict[str, Any]) -> str:
    return f"{effort['trials']} trials" if effort["trials"] else f"{effort['budget_s']:g} s"


def _cold_items(results: dict[str, Result]) -> str:
    found = _of(results, "cold-items")
    rows = []
    for result in found:
        report = result["runs"][0]["report"]
        parts = (report["cold"], report["warm"], report["overall"])
        figures = (f"{part['recall@20']['mean']:.4f}" for part in parts)
        changes = (_change(report["warm_difference"]), _change(report["graph_difference"]))
        rows.append((result["title"], f"`{result['scorer']}`", *figures, *changes))
    columns = (
        "data",
        "scorer",
        "cold R@20",
        "warm R@20",
        "overall R@20",
        "against all events",
        "against no attributes",
    )
    text = (
        "Hidden items are ranked among each other by their attributes (cold), the others by themselves (warm). The\n"
        "warm items' NDCG@20 is compared, with its 95 % interval over users, with the same scorer of all events,\n"
        "which says what the hidden events were worth, and with the same scorer of the same events that knows no\n"
        "attributes and so cannot rank the hidden items, which says what being able to costs the others."
    )
    return _told("Items without events", text, found, columns, rows)


def _change(compared: dict[str, Any] | None) -> str:
    if compared is None or not compared["second"]:
        return ""
    share, low, high = (compared[each] / compared["second"] for each in ("difference", "low", "high"))
    return f"{share:+.1%} ({low:+.1%} to {high:+.1%})"


def _cold_users(results: dict[str, Result]) -> str:
    found = _of(results, "cold-users")
    known = ("0", "1", "2", "3", "5", "10", "tastes", "all")
    rows = []
    for result in found:
        report = result["runs"][0]["report"]
        kept = [f"{report['kept'][each]:.0%}" if each in report["kept"] else "" for each in known[:-1]]
        rows.append(
            (result["title"], f"`{result['scorer']}`", *kept, f"{report['by_events']['all']['ndcg@10']['mean']:.4f}")
        )
    columns = ("data", "scorer", *known[:-1], "N@10 with all")
    text = (
        "Hidden users by the number of events they are known by: NDCG@10 as a share of that with all of their events."
    )
    return _told("Users without a past", text, found, columns, rows)


def _controls(results: dict[str, Result]) -> str:
    found = _of(results, "kg-control")
    rows = []
    for result in found:
        report = result["runs"][0]["report"]
        for graph, warm in report["warm"].items():
            lost = f"{report['cold_recall_lost']:.0%}" if graph == "shuffled" else ""
            cold = report["cold"][graph]["recall@20"]["mean"]
            rows.append((result["title"], graph, f"{warm['ndcg@20']['mean']:.4f}", f"{cold:.4f}", lost))
    columns = ("data", "graph", "warm N@20", "cold R@20", "cold recall lost")
    text = "The served model tuned with the graph, with the items permuted over their attributes, and with none."
    return _told("What the graph's facts are worth", text, found, columns, rows)


def _share(results: dict[str, Result]) -> str:
    found = _of(results, "share")
    rows = []
    for result in found:
        report = result["runs"][0]["report"]
        shares = (report[name] for name in ("share", "share_permuted", "share_net", "specific_net"))
        gain = report["ndcg_gain"]
        interval = f"{gain['difference']:+.4f} ({gain['low']:+.4f} to {gain['high']:+.4f})"
        rows.append((result["title"], *(f"{share:.1%}" for share in shares), interval))
    columns = ("data", "share", "with items permuted", "net", "net, specific relations", "N@10 against no graph")
    text = (
        "How much of the positive item-item terms of the served top 10 flows through shared entities. Specific: the "
        "entity of a relation's median fact belongs to at most 2 % of the items."
    )
    return _told("Graph share", text, found, columns, rows)


def _speed(results: dict[str, Result]) -> str:
    found = _of(results, "speed")
    rows = [
        (result["title"], str(point["steps"]), f"{point['seconds']:.1f}", f"{point['ndcg@10']:.4f}")
        for result in found
        for point in result["runs"][0]["report"]["points"]
    ]
    text = "".join(
        f"97 % of the last NDCG@10 after {result['runs'][0]['report']['seconds_to_97_percent']:.1f} s.\n"
        for result in found
    )
    return _told("Training time", text, found, ("data", "encoder steps", "seconds", "N@10"), rows)


def _of(results: dict[str, Result], command: str) -> list[Result]:
    return [result for result in results.values() if result["command"] == command]


def _told(title: str, text: str, found: list[Result], columns: Iterable[str], rows: list[tuple[str, ...]]) -> str:
    return _section(title, text, _machines(found), _table(columns, rows), _command(found[0])) if found else ""


def _section(title: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", *(part.strip() for part in parts)]) + "\n"


def _machines(found: list[Result]) -> str:
    told = {
        f"{each['machine']['processor']}, {each['machine']['cores']} cores, {each['machine']['memory_gib']:.0f} GiB"
        for each in found
    }
    loads = [each["machine"]["load_at_end"] for each in found]
    busy = f" Load at the end of the rows: {min(loads):g} to {max(loads):g}." if loads else ""
    return f"Machine: {'; '.join(sorted(told))}.{busy}"


def _command(result: Result) -> str:
    return f"```\n{result['runs'][0]['command'].replace(' && ', chr(10))}\n```"


def _table(columns: Iterable[str], rows: list[tuple[str, ...]]) -> str:
    names = tuple(columns)
    lines: list[tuple[str, ...]] = [names, ("---",) * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
