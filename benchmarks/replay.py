"""What fresh profiles are worth: a real stream in time order, each list made before what follows is learnt.

    python benchmarks/replay.py retailrocket online-retail retail --cache .clew/cache --shared ../shared/data

The first 80 % of the events train the model, once (retailrocket: half of them, for more lists to tell apart). The rest
is played back. Before a user takes items that are new to them, the real recommender ranks from worlds whose profiles
know the user's events up to 0 s, 1 minute, 1 hour and 1 day ago, or only those of the training; the next items are what
is to be found. "nothing known" is the list of a stranger.
retailrocket: clicks, baskets and purchases of a web shop. online-retail: purchases and returns of a gift shop; returns
are events, and nothing to be found. retail: the demo (--households of it). At most --moments lists per data set, evenly
over the stream; standard errors and intervals are over users, of whom each has several lists.
Writes benchmarks/results/replay.json and replay.svg; data sets that are not named keep their figures.
"""

import argparse
import json
import os
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import polars as pl
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from domain.dataset_snapshot import snapshot_of
from domain.progress import Silent
from domain.records import Event, Record
from domain.snapshot import Interactions, Snapshot
from embeddings.artifact import Artifact, load_artifact
from embeddings.train import train
from ingest.report import RejectedLog
from ingest.sources import read_source
from ingest.sources.demos import demo_source
from recommend.evaluate.metrics import METRICS, hit_matrix
from recommend.popularity import event_weight
from recommend.recommender import Recommender
from recommend.request import RecommendRequest
from recommend.world import World

HERE = Path(__file__).parent
RESULTS = HERE / "results"
STALENESS_MS = {"0 s": 0, "1 min": 60_000, "1 h": 3_600_000, "1 day": 86_400_000, "training": None}
NOBODY = "nothing known"
HOUR_MS = 3_600_000
TRAIN_SHARE = {"retailrocket": 0.5, "online-retail": 0.8, "retail": 0.8}
K = 10
FEWEST = 200  # lists that are told apart as those within an hour of the event before
EVENT_COLUMNS = ("user_rows", "item_rows", "kinds", "values", "at")


@dataclass(frozen=True)
class Moment:
    """A user takes items that are new to them. gap_ms: since their event before; targets: item ids."""

    user_id: str
    at: int
    gap_ms: int
    targets: frozenset[str]


class Delayed:
    """A log of which a reader sees the events that are old enough."""

    def __init__(self, events: Sequence[Event], delay_ms: int | None) -> None:
        self._events = events
        self._times = [event.at for event in events]
        self._delay_ms = delay_ms
        self._visible = 0

    def now(self, at: int) -> None:
        """Only what happened before, also without a delay."""
        if self._delay_ms is not None:
            find = bisect_right if self._delay_ms else bisect_left
            self._visible = find(self._times, at - self._delay_ms)

    def read(self, after: int, limit: int = 10_000) -> list[tuple[int, Record]]:
        part = self._events[after : min(self._visible, after + limit)]
        return list(enumerate(part, start=after + 1))

    def last_offset(self) -> int:
        return self._visible


def read(name: str, options: argparse.Namespace, folder: Path) -> Snapshot:
    """The data set as a snapshot, made without a graph."""
    with RejectedLog(folder / "rejected.jsonl") as rejected:
        if name == "retail":
            source, path, _ = demo_source("retail", options.cache, Silent())
        else:
            source, path = "table", prepare(name, options.shared, folder)
        dataset = read_source(source, path, rejected, cache_dir=options.cache, progress=Silent())
    snapshot = snapshot_of(dataset)
    return some_users(snapshot, options.households) if name == "retail" else snapshot


def prepare(name: str, shared: Path, folder: Path) -> Path:
    """The files of a data set and its mapping, side by side. Returns the mapping's path."""
    mapping = {"retailrocket": "retailrocket.toml", "online-retail": "online_retail.toml"}[name]
    if name == "retailrocket":
        copy(shared / "retailrocket-events-sample" / "events.csv", folder)
    else:
        prepare_online_retail(pl.read_parquet(shared / "uci-online-retail" / "online_retail.parquet"), folder)
    return Path(copy(HERE / "mappings" / mapping, folder))


def prepare_online_retail(rows: pl.DataFrame, folder: Path) -> None:
    """events.parquet (customer, product, at, kind, quantity) and items.parquet (product, words)."""
    product = pl.col("Description").str.strip_chars()
    events = rows.filter(
        pl.col("CustomerID").is_not_null(), product.str.len_chars() > 0, pl.col("Quantity") != 0
    ).select(
        customer=pl.col("CustomerID").cast(pl.Int64).cast(pl.String),
        product=product,
        at=pl.col("InvoiceDate").cast(pl.Datetime("ms")).dt.epoch("ms"),
        kind=pl.when(pl.col("Quantity") > 0).then(pl.lit("purchase")).otherwise(pl.lit("return")),
        quantity=pl.col("Quantity").abs(),
    )
    events.write_parquet(folder / "events.parquet")
    words = pl.col("product").str.to_lowercase().str.extract_all("[a-z]{3,}").list.unique(maintain_order=True)
    items = events.select(pl.col("product").unique().sort()).with_columns(words=words.list.join(" "))
    items.write_parquet(folder / "items.parquet")


def some_users(snapshot: Snapshot, count: int) -> Snapshot:
    """The events of evenly chosen users only."""
    chosen = np.linspace(0, len(snapshot.user_ids) - 1, min(count, len(snapshot.user_ids))).astype(np.int64)
    return with_events(snapshot, np.isin(snapshot.interactions.user_rows, chosen))


def with_events(snapshot: Snapshot, kept: NDArray[np.bool_]) -> Snapshot:
    columns = (getattr(snapshot.interactions, name)[kept] for name in EVENT_COLUMNS)
    return replace(snapshot, interactions=Interactions(*columns))


def stream_of(snapshot: Snapshot, from_ms: int) -> list[Event]:
    """The events from then on, in time order, as the log would hold them."""
    events = snapshot.interactions
    order = np.flatnonzero(events.at >= from_ms)
    order = order[np.argsort(events.at[order], kind="stable")]
    kinds = [kind.name for kind in snapshot.declaration.event_kinds]
    return [
        Event(
            event_id=f"e{place}",
            user_id=str(snapshot.user_ids[events.user_rows[row]]),
            item_id=str(snapshot.item_ids[events.item_rows[row]]),
            kind=kinds[events.kinds[row]],
            value=None if np.isnan(events.values[row]) else float(events.values[row]),
            at=int(events.at[row]),
        )
        for place, row in enumerate(order)
    ]


def moments_of(snapshot: Snapshot, stream: list[Event], from_ms: int, most: int) -> list[Moment]:
    """Where users who were there before take, at one time, items that they never had; evenly chosen."""
    kinds = {kind.name: kind for kind in snapshot.declaration.event_kinds}
    had: dict[str, set[str]] = {}
    last: dict[str, int] = {}
    events = snapshot.interactions
    for row in np.flatnonzero(events.at < from_ms):
        user_id = str(snapshot.user_ids[events.user_rows[row]])
        had.setdefault(user_id, set()).add(str(snapshot.item_ids[events.item_rows[row]]))
        last[user_id] = max(last.get(user_id, 0), int(events.at[row]))
    baskets: dict[tuple[int, str], list[Event]] = {}
    for event in stream:
        baskets.setdefault((event.at, event.user_id), []).append(event)
    found: list[Moment] = []
    for (at, user_id), basket in baskets.items():
        known = had.setdefault(user_id, set())
        new = {one.item_id for one in basket if event_weight(kinds[one.kind], one.value) > 0} - known
        if new and user_id in last:
            found.append(Moment(user_id, at, at - last[user_id], frozenset(new)))
        known.update(one.item_id for one in basket)
        last[user_id] = at
    return [found[place] for place in np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)]


def play(artifact: Artifact, stream: list[Event], moments: list[Moment]) -> dict[str, list[list[str]]]:
    """The list of every moment, per staleness and for a stranger."""
    logs = {name: Delayed(stream, delay) for name, delay in STALENESS_MS.items()}
    asked = {name: Recommender(World(log, artifact=artifact), None) for name, log in logs.items()}
    lists: dict[str, list[list[str]]] = {name: [] for name in (*asked, NOBODY)}
    for moment in moments:
        for name, recommender in asked.items():
            logs[name].now(moment.at)
            lists[name].append(listed(recommender, moment.user_id))
        lists[NOBODY].append(listed(asked["0 s"], f"a stranger beside {moment.user_id}"))
    return lists


def listed(recommender: Recommender, user_id: str) -> list[str]:
    ranked = recommender.recommend(RecommendRequest(user_id=user_id, n=K, reasons=False))
    return [item.item_id for item in ranked.items]


def measure(lists: dict[str, list[list[str]]], moments: list[Moment]) -> dict[str, object]:
    """Per staleness: both metrics with standard errors, and N@10 below that of 0 s with its 95 % interval."""
    users = np.unique([moment.user_id for moment in moments], return_inverse=True)[1]
    values = {
        name: {
            metric: METRICS[metric](*hit_matrix(found, [set(moment.targets) for moment in moments], K), K)
            for metric in ("ndcg", "recall")
        }
        for name, found in lists.items()
    }
    return {
        name: {
            **{f"{metric}@{K}": round(float(each.mean()), 5) for metric, each in of_name.items()},
            **{f"{metric}@{K} standard error": round(error_over(users, each), 5) for metric, each in of_name.items()},
            f"ndcg@{K} of 0 s minus this": with_interval(users, values["0 s"]["ndcg"] - of_name["ndcg"]),
        }
        for name, of_name in values.items()
    }


def error_over(users: NDArray[np.int64], values: NDArray[np.float64]) -> float:
    """Standard error of the mean, where lists of one user are not independent: users (m,) are what was drawn.

    Source: the cluster-robust estimate with few-cluster correction, Cameron & Miller, 2015, section II.
    """
    of_user = np.bincount(users, values - values.mean())
    return float(np.sqrt((of_user**2).sum() * len(of_user) / max(len(of_user) - 1, 1)) / len(values))


def with_interval(users: NDArray[np.int64], values: NDArray[np.float64]) -> list[float]:
    """The mean and its 95 % interval."""
    mean, half = float(values.mean()), 1.96 * error_over(users, values)
    return [round(part, 5) for part in (mean, mean - half, mean + half)]


def measured(lists: dict[str, list[list[str]]], moments: list[Moment]) -> dict[str, object]:
    users = {moment.user_id for moment in moments}
    return {"moments": len(moments), "users": len(users), **measure(lists, moments)}


def replay(name: str, options: argparse.Namespace) -> dict[str, object]:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        snapshot = read(name, options, Path(folder))
        from_ms = int(np.quantile(snapshot.interactions.at, TRAIN_SHARE[name]))
        past = with_events(snapshot, snapshot.interactions.at < from_ms)
        models = Path(folder) / "models"
        trained = train(past, models, seed=options.seed)
        stream = stream_of(snapshot, from_ms)
        moments = moments_of(snapshot, stream, from_ms, options.moments)
        lists = play(load_artifact(models, trained.version), stream, moments)
    soon = [place for place, moment in enumerate(moments) if moment.gap_ms <= HOUR_MS]
    result: dict[str, object] = {
        "events": len(snapshot.interactions),
        "stream": len(stream),
        "trained_until": datetime.fromtimestamp(from_ms / 1000, UTC).isoformat(),
        "all": measured(lists, moments),
        "command": f"python benchmarks/replay.py {name} --moments {options.moments}"
        + (f" --households {options.households}" if name == "retail" else ""),
        "seconds": round(time.perf_counter() - began, 1),
        "load_average": os.getloadavg()[0],
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if len(soon) >= FEWEST:
        some = {each: [found[place] for place in soon] for each, found in lists.items()}
        result["within an hour"] = measured(some, [moments[place] for place in soon])
    return result


def draw(results: dict[str, dict[str, dict[str, dict[str, Any]]]]) -> Figure:
    """Per data set: N@10 over staleness, and below it what of that is lost against 0 s, list by list."""
    figure = Figure(figsize=(4.2 * len(results), 5.6), layout="constrained")
    rows = figure.subplots(2, len(results), squeeze=False, sharex=True)
    names = list(STALENESS_MS)
    for place, (data_set, result) in enumerate(results.items()):
        above, below = rows[0][place], rows[1][place]
        for number, (part, style) in enumerate((("all", "o-"), ("within an hour", "s--"))):
            if part not in result:
                continue
            found, at = result[part], np.arange(len(names)) + 0.08 * number
            means, errors = ([found[name][f"ndcg@{K}{what}"] for name in names] for what in ("", " standard error"))
            label = f"{part}: {found['moments']:,} lists, {found['users']:,} users"
            above.errorbar(at, means, errors, fmt=style, capsize=3, label=label)
            lost = -np.array([found[name][f"ndcg@{K} of 0 s minus this"] for name in names])
            below.errorbar(at, lost[:, 0], lost[:, 1] - lost[:, 0], fmt=style, capsize=3)
        above.axhline(result["all"][NOBODY][f"ndcg@{K}"], color="grey", linestyle=":", label=NOBODY)
        below.axhline(0, color="grey", linewidth=0.8)
        above.set(title=data_set, ylabel=f"NDCG@{K} of the next items")
        below.set(ylabel="less than at 0 s (95 %)", xlabel="age of what the profile knows")
        below.set_xticks(range(len(names)), names)
        above.set_ylim(bottom=0)
        above.legend(fontsize="small")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=["retailrocket", "online-retail", "retail"])
    parser.add_argument("--cache", type=Path, default=Path(".clew/cache"))
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    parser.add_argument("--moments", type=int, default=1_500)
    parser.add_argument("--households", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    file = RESULTS / "replay.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    for name in options.names:
        results[name] = replay(name, options)
        print(json.dumps({name: results[name]}, indent=2))
        file.write_text(json.dumps(results, indent=2) + "\n")
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "replay"}):
        draw(results).savefig(RESULTS / "replay.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
