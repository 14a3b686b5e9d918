"""The data sets of the quality rows, as files of `clew bench`. What is in another form is written under the cache once.

Each function gives the options that name the files, or None where the data is not there.
"""

import csv
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from domain.dataset_snapshot import snapshot_of
from domain.progress import Silent
from domain.snapshot import Snapshot
from ingest.report import RejectedLog
from ingest.sources import read_source
from ingest.sources.demos import demo_source, movies_folder

SHARED = Path(os.environ.get("CLEW_BENCH_DATA", "../shared/data"))
CACHE = Path(os.environ.get("CLEW_HOME", ".clew")) / "cache"
WRITTEN = CACHE / "quality"
DAYS = ((2017, 11, 1), (2017, 12, 1), (2018, 1, 2))
NOVEMBER, DECEMBER, AFTER = (int(datetime(*day, tzinfo=UTC).timestamp() * 1000) for day in DAYS)
OCTOBER_2011 = int(datetime(2011, 10, 1, tzinfo=UTC).timestamp() * 1000)
Options = dict[str, Path]


def ml_100k() -> Options | None:
    """Ratings of 4 and 5, 8:1:1 per user, without a graph."""
    return _present({part: SHARED / "ml-100k-splits" / f"A.{part}.tsv" for part in ("train", "valid", "test")})


def ml_100k_graph() -> Options | None:
    """The same with the Freebase graph of the movies demo."""
    ratings = ml_100k()
    if ratings is None:
        return None
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = movies_folder(CACHE, Silent())
    return {**ratings, "kg": folder / "ml-100k.kg", "link": folder / "ml-100k.link"}


def lastfm() -> Options | None:
    folder = SHARED / "lastfm-lightkg"
    parts = {part: folder / f"lastfm.{part}.inter" for part in ("train", "valid", "test")}
    return _present({**parts, "kg": folder / "lastfm.kg", "link": folder / "lastfm.link"})


def gowalla() -> Options | None:
    """No validation part: one is cut from the training file."""
    return _present({part: SHARED / "gowalla-lightgcn" / f"{part}.txt" for part in ("train", "test")})


def ml_1m() -> Options | None:
    """Per user by time, with a DBpedia graph. The files get headers, and the graph the items' own entities."""
    source, folder = SHARED / "ml-1m-pathlm", WRITTEN / "ml-1m"
    if not source.is_dir():
        return None
    options = {part: folder / f"{part}.tsv" for part in ("train", "valid", "test", "kg", "link")}
    if not all(path.exists() for path in options.values()):
        folder.mkdir(parents=True, exist_ok=True)
        for part in ("train", "valid", "test"):
            rows = [(user, item, at) for user, item, _, at in _rows(source / f"{part}.txt")]
            _write(options[part], ("user_id", "item_id", "timestamp"), rows)
        links = [(item, entity) for entity, item, *_ in _rows(source / "i2kg_map.txt")[1:]]
        _write(options["link"], ("item_id", "entity_id"), links)
        named = {number: name for number, _, name in _rows(source / "r_map.txt")[1:]}
        triples = [(head, named[kind], tail) for head, kind, tail in _rows(source / "kg_final.txt")[1:]]
        _write(options["kg"], ("head", "relation", "tail"), triples)
    return options


def retail() -> Options | None:
    """The retail demo: purchases to October; what is new to the household in November, and in December."""
    folder = WRITTEN / "retail"
    options = {part: folder / f"{part}.tsv" for part in ("train", "valid", "test", "kg")}
    if not all(path.exists() for path in options.values()):
        folder.mkdir(parents=True, exist_ok=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        source, path, _ = demo_source("retail", CACHE, Silent())
        with RejectedLog(folder / "rejected.jsonl") as rejected:
            snapshot = snapshot_of(read_source(source, path, rejected, cache_dir=CACHE, progress=Silent()))
        _export(snapshot, options)
    return options


def online_retail() -> Options | None:
    """A gift shop: purchases to September 2011 with repeats; known products that were new to a known customer later."""
    source, folder = SHARED / "uci-online-retail" / "online_retail.parquet", WRITTEN / "online-retail"
    if not source.is_file():
        return None
    options = {part: folder / f"{part}.tsv" for part in ("train", "test")}
    if not all(path.exists() for path in options.values()):
        folder.mkdir(parents=True, exist_ok=True)
        named = (pl.col("CustomerID").is_not_null()) & (pl.col("Description").is_not_null()) & (pl.col("Quantity") > 0)
        sold = pl.read_parquet(source).filter(named)
        sold = sold.select(
            user_id=pl.col("CustomerID").cast(pl.Int64),
            item_id=pl.col("Description").str.strip_chars().str.replace_all("\t", " "),
            timestamp=pl.col("InvoiceDate").cast(pl.Datetime).dt.epoch("ms"),
        ).sort("user_id", "timestamp", "item_id")
        before = sold.filter(pl.col("timestamp") < OCTOBER_2011)
        later = sold.filter(pl.col("timestamp") >= OCTOBER_2011).unique(["user_id", "item_id"], maintain_order=True)
        later = later.join(before, on=["user_id", "item_id"], how="anti")
        for name in ("user_id", "item_id"):
            later = later.join(before.select(name).unique(), on=name, how="semi")
        _write(options["train"], ("user_id", "item_id", "timestamp"), before.iter_rows())
        _write(options["test"], ("user_id", "item_id"), later.select("user_id", "item_id").iter_rows())
    return options


def _export(snapshot: Snapshot, options: Options) -> None:
    """Events by month; of November and December the first of each pair that the household did not have before."""
    events = snapshot.interactions
    bought = np.array([kind.weight > 0 for kind in snapshot.declaration.event_kinds])[events.kinds]
    keys = events.user_rows.astype(np.int64) * len(snapshot.item_ids) + events.item_rows
    known = np.unique(keys[bought & (events.at < NOVEMBER)])
    chosen = {"train": np.flatnonzero(bought & (events.at < NOVEMBER))}
    for part, since, until in (("valid", NOVEMBER, DECEMBER), ("test", DECEMBER, AFTER)):
        rows = np.flatnonzero(bought & (events.at >= since) & (events.at < until))
        fresh, first = np.unique(keys[rows], return_index=True)
        chosen[part] = np.sort(rows[first[~np.isin(fresh, known)]])
        known = np.union1d(known, fresh)
    for part, rows in chosen.items():
        users, items = snapshot.user_ids[events.user_rows[rows]], snapshot.item_ids[events.item_rows[rows]]
        table = zip(users, items, events.at[rows], strict=True)
        _write(options[part], ("user_id", "item_id", "timestamp"), table)
    triples = [
        (snapshot.item_ids[head], relation.type, snapshot.entity_ids[tail])
        for relation in snapshot.relations
        if (relation.head_kind, relation.tail_kind) == ("item", "entity")
        for head, tail in zip(relation.heads, relation.tails, strict=True)
    ]
    _write(options["kg"], ("head", "relation", "tail"), triples)


def _present(options: Options) -> Options | None:
    return options if all(path.is_file() for path in options.values()) else None


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    temporary = path.with_name(path.name + ".part")
    lines = ("\t".join(map(str, row)) for row in rows)
    temporary.write_text("\n".join(["\t".join(header), *lines]) + "\n", encoding="utf-8")
    temporary.replace(path)
