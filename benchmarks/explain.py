"""Whether reasons are true, on four data sets: `python -m benchmarks.explain [NAME ...]`; --page only writes the page.

Results go to benchmarks/results/explain/, the page is docs/faithfulness.md. How long they take, from the movies demo
that `clew demo` serves: `python -m benchmarks.explain --times`, to benchmarks/results/explain_times.json.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import psutil

from benchmarks.quality.data import ml_1m
from clew.bench_explain import ExplainReport, Wanted, bench_explain, read_bench_files, read_data, write_report
from clew.show import TerminalProgress
from domain.snapshot import Snapshot
from embeddings.artifact import load_current

ROOT = Path(__file__).parents[1]
TIMES = ROOT / "benchmarks" / "results" / "explain_times.json"
WARM = 20  # users whose times are not counted
COUNTERFACTUALS = 0.25  # of the users: one may take a second
RESULTS, PAGE = ROOT / "benchmarks" / "results" / "explain", ROOT / "docs" / "faithfulness.md"
SHARED = Path(os.environ.get("CLEW_BENCH_DATA", "../shared/data"))
CACHE = Path(os.environ.get("CLEW_HOME", ".clew")) / "cache"
NAMES = ("movies", "retail", "movielens-small-people", "ml-1m-pathlm")
ROWS = (
    (
        "masked_equals_stated",
        "reasons whose terms, masked, lower the score by what was stated (to 1e-4)",
        "1",
        "share",
    ),
    ("path_validity", "paths whose every edge is in the data", "1", "share"),
    ("coverage", "items of the top 10 with a path that explains 15 % or more", "≥ .95", "share"),
    ("coverage_any", "items of the top 10 with any path", "", "share"),
    ("explained_share_median", "share of the positive terms in five reasons of any kind, median", "≥ .60", "share"),
    ("explained_share_by_paths_median", "… in five reasons with a path, median", "", "share"),
    ("spearman_renormalised", "stated amounts and the change after deleting the edges and renormalising", "≥ .80", ""),
    ("spearman_renormalised_entity", "… of entity paths", "", ""),
    ("spearman_renormalised_behaviour", "… of behavioural paths", "", ""),
    ("spearman_retrained", "stated amounts and the change after retraining without the edges", "reported", ""),
    ("rank_drop_shown_median", "ranks that an item falls without its shown paths, median", "", "count"),
    ("rank_drop_random_median", "… without as many random edges of the same types", "5 times less", "count"),
    ("score_fall_shown_median", "score lost without its shown paths, median", "", ""),
    ("score_fall_random_median", "… without as many random edges (absolute change)", "5 times less", ""),
    ("sufficient_in_top_50", "items that the shown paths alone keep in the top 50", "", "share"),
    ("stability", "overlap of the reasons under another seed (Jaccard)", "", "share"),
    ("lir", "LIR: how recent the linking event is", "", "share"),
    ("sep", "SEP: how known the shared entity is", "", "share"),
    ("etd", "ETD: kinds of path in a list, of those possible", "", "share"),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--page", action="store_true", help="only write the page")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=1, help="further models, for stability")
    parser.add_argument("--no-retrain", action="store_true")
    parser.add_argument("--models", type=Path, help="a folder of models: its current one, which is not trained anew")
    parser.add_argument("--times", action="store_true", help="only measure how long a running server takes")
    parser.add_argument("--api", default="http://127.0.0.1:8080", help="of that server")
    asked = parser.parse_args()
    if asked.times:
        times(asked.api, asked.users)
        return 0
    wanted = Wanted(asked.users, 0, asked.seeds, not asked.no_retrain)
    for name in () if asked.page else asked.names or NAMES:
        model = load_current(asked.models)[0] if asked.models else None
        snapshot = _reader(name)() if model is None else model.snapshot
        if snapshot is None:
            print(f"{name}: its data is not there", file=sys.stderr)
            continue
        command = " ".join(["python -m benchmarks.explain", *sys.argv[1:]])
        report = bench_explain(name, snapshot, wanted, TerminalProgress(), command=command, model=model)
        write_report(report, RESULTS)
    PAGE.write_text(page([_read(name) for name in NAMES if (RESULTS / f"{name}.json").exists()]))
    return 0


def _reader(name: str) -> Callable[[], Snapshot | None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    if name == "ml-1m-pathlm":
        return _ml_1m
    if name == "movielens-small-people":
        folder = SHARED / name
        return lambda: read_data("movielens", folder, CACHE, TerminalProgress()) if folder.is_dir() else None
    return lambda: read_data(name, None, CACHE, TerminalProgress())


def _ml_1m() -> Snapshot | None:
    """The training part."""
    options = ml_1m()
    return None if options is None else read_bench_files(options["train"], options["kg"], options["link"])


def _read(name: str) -> ExplainReport:
    return msgspec.json.decode((RESULTS / f"{name}.json").read_bytes(), type=ExplainReport)


def times(api: str, users: int) -> None:
    """Medians and 95th percentiles over HTTP, for the users 1, 2, … of the movies demo, in turns."""
    with httpx.Client(base_url=api, timeout=30) as client:
        took, checked = _measured(client, users)
    rows = {name: _figures(np.array(values)) for name, values in took.items()}
    rows["reasons, user by user"] = _figures(np.array(took["list with reasons"]) - np.array(took["list"]))
    for name, row in rows.items():
        print(f"{name:24} p50 {row['p50_ms']:7.2f} ms   p95 {row['p95_ms']:7.2f} ms")
    print(f"paths checked within the list's budget: {np.mean(checked):.1%}")
    machine = {"cores": psutil.cpu_count(), "load": round(psutil.getloadavg()[0], 1)}
    result = {"users": users, "times": rows, "checked_in_time": round(float(np.mean(checked)), 4), "machine": machine}
    TIMES.write_text(json.dumps({"command": "python -m benchmarks.explain --times", **result}, indent=1) + "\n")


def _measured(client: httpx.Client, users: int) -> tuple[dict[str, list[float]], list[bool]]:
    """Milliseconds by what was asked, and for each path of a list whether it was checked."""
    took: dict[str, list[float]] = {"list": [], "list with reasons": [], "explanation": [], "counterfactual": []}
    checked: list[bool] = []
    for place in range(-WARM, users):
        user_id = str(1 + place % users)
        plain = {"user_id": user_id, "n": 10, "include": []}
        found: dict[str, Any] = {}
        for name in sorted(("list", "list with reasons"), reverse=bool(place % 2)):
            include = ["reasons"] if name == "list with reasons" else []
            found[name] = _timed(took[name], client, "POST", "/v1/recommendations", json=plain | {"include": include})
        reasons = [reason for item in found["list with reasons"]["items"] for reason in item["reasons"]]
        checked += [reason["path"]["verified"] for reason in reasons if reason["path"]]
        why = f"/v1/users/{user_id}/items/{found['list']['items'][0]['item_id']}/explanation"
        _timed(took["explanation"], client, "GET", why)
        if place < users * COUNTERFACTUALS:
            _timed(took["counterfactual"], client, "GET", why, params={"counterfactual": True})
    return {name: values[WARM:] for name, values in took.items()}, checked


def _timed(took: list[float], client: httpx.Client, method: str, path: str, **sent: Any) -> Any:
    start = time.perf_counter()
    answer = client.request(method, path, **sent)
    took.append((time.perf_counter() - start) * 1000)
    return answer.raise_for_status().json()


def _figures(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    median, slow = np.percentile(values, [50, 95]).tolist()
    return {"p50_ms": round(median, 2), "p95_ms": round(slow, 2), "n": len(values)}


def page(reports: list[ExplainReport]) -> str:
    """docs/faithfulness.md."""
    names = [report.data for report in reports]
    lines = ["<!-- Written by `python -m benchmarks.explain --page` from benchmarks/results/explain/. -->", "", INTRO]
    lines += [f"| figure | target | {' | '.join(names)} |", f"|---|---|{'---|' * len(names)}"]
    for key, what, target, form in ROWS:
        shown = [_shown(report.figures.get(key), form) for report in reports]
        lines.append(f"| {what} | {target} | {' | '.join(shown)} |")
    lines += ["", "How each column was measured:", ""]
    for one in reports:
        lines.append(
            f"- **{one.data}**: {one.users} users, {int(one.figures['items']):,} items of their lists; "
            f"{one.interactions:,} events, {one.items:,} items, {one.relations:,} relations; "
            f"{one.machine['cores']} cores, {one.seconds:.0f} s; `{one.command}`"
        )
    return "\n".join([*lines, "", READING])


def _shown(value: float | None, form: str) -> str:
    if value is None or value != value:
        return "–"
    if form == "share":
        return f"{value:.1%}"
    return f"{value:,.0f}" if form == "count" else f"{value:.3f}"


INTRO = """# Are the reasons true?

Each reason that a list shows is taken away, and what the score does is compared with what was stated. The numbers
are made on the served model, trained with its default settings on all of the data, for warm users (five events or
more) and the ten best items that they have not had.

```bash
clew bench explain movies                                   # or: retail, or a source of `clew ingest` with its path
clew bench explain files train.tsv --kg graph.tsv --link link.tsv
python -m benchmarks.explain                                # all four columns, and this page
```
"""
READING = """## What the figures mean

- **Masked**: the reason's terms are left out with all normalisers frozen, and the whole score is made again. This
  is what a stated amount promises.
- **Renormalised**: the item's edges of the reason (for a behavioural one the user's events) are deleted, the item's
  other features of that relation and the user's other events are scaled up again, and the item's vector is composed
  without it; the learned weights stay. This is not promised: related terms take over, and deleting an event takes
  away more than its behavioural term.
- **Retrained**: the edges of one entity path of up to 60 items are deleted at once, and a model is trained anew.
  Its other weights change too, so that amounts and changes agree less.
- **Random edges** are of the same relation types, drawn from those of the item and of the user's items; for a
  behavioural path, other events of the user. Deleting one can lift an item: a fall below 0.
  A long history leaves little of a score when a behavioural reason's many events go: retail's items fall to the end.
- **SEP** is – where no item's first reason goes through an entity: what others took together outweighs the graph
  there ([decision 20](decisions/0020-taken-together.md)). Without the events of such paths the other items fall too,
  so an item loses few ranks.
- **Sufficient**: all items are scored by nothing but the features and the events of the shown paths.
- **A path that explains 15 % or more** is one reason as the API gives it. It may stand for many: a behavioural one
  covers all of the user's items that at least five others took with this item, and where no reason reaches 15 %, the
  entities of one relation are told together. Both are exact sums of terms, shown with one path. Without a path there
  are the encoder's part and the popularity's part of a score: an item that is in a list for those has no such path.
- **As many random edges**: where a behavioural reason covers more of the user's events than are left to draw from, only
  as many of its strongest ones are deleted.
- **Explained share**: reasons of any kind are paths, "popular" and "similar to what you had"; the last two are the
  encoder's and the popularity's part of the score, and are never drawn as a path.
- **LIR, SEP, ETD** are those of Balloccu et al., SIGIR 2022, for the first reason of each item: they describe, and
  none of them is better when higher.
"""

if __name__ == "__main__":
    sys.exit(main())
