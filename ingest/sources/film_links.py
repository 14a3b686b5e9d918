"""Which film of MovieLens 100K a knowledge-graph entity is, when .link numbers films as later MovieLens releases do.

The .link that RecBole ships with ML-100K names films by the ids of the later releases (260 is Star Wars there, and
Event Horizon in ML-100K), so most of its links are false (github.com/RUCAIBox/RecSysDatasets, issue 130). A film is
found again by its title and year in a catalogue of a later release.
"""

import hashlib
from pathlib import Path

import polars as pl

from ingest.sources.movies import spoken_title

# sha256 of .link files known to use the ids of another release than the .inter beside them
FOREIGN_LINKS = frozenset({"524dca2c3d62619688ab99b3ec53ea2acb9b64d38eafec3e02bdd0dc6bb7d948"})
SHORTEST_PART = 4  # letters of a title's part that can tell a film


def is_foreign(path: Path) -> bool:
    """Whether the .link file is one that numbers its films as another data set does."""
    return hashlib.sha256(path.read_bytes()).hexdigest() in FOREIGN_LINKS


def translate_links(links: pl.DataFrame, catalogue: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """links (`item`, `entity`) with the ids of `items` in place of those of the catalogue.

    catalogue, items: `id`, `title`, `year` (Int64). Two films are one when title and year agree, then when the title
    agrees and the years are one apart, then likewise without what stands in brackets, then when the year and a part of
    the title agree ("The Postman (Il Postino)"); each only where that is one to one.
    """
    left, right = _keyed(catalogue), _keyed(items)
    pairs: list[pl.DataFrame] = []
    for key, apart in (("full", 0), ("full", 1), ("short", 0), ("short", 1), ("parts", 0)):
        exploded = [films.explode(key).drop_nulls(key) if key == "parts" else films for films in (left, right)]
        both = exploded[0].join(exploded[1], on=key, suffix="_item")
        both = both.filter((pl.col("year") - pl.col("year_item")).abs() <= apart).unique(["id", "id_item"])
        both = both.filter(pl.col("id").is_unique() & pl.col("id_item").is_unique())
        pairs.append(both.select("id", "id_item"))
        left = left.join(both, on="id", how="anti")
        right = right.join(both, left_on="id", right_on="id_item", how="anti")
    found = links.join(pl.concat(pairs), left_on="item", right_on="id", maintain_order="left")
    return found.select(item="id_item", entity="entity")


def _keyed(films: pl.DataFrame) -> pl.DataFrame:
    """Adds the keys `full` and `short` (without brackets), and `parts`: a list of the title's parts."""
    full = films.select(_folded(pl.col("title")))["title"]
    short = films.select(_folded(pl.col("title").str.replace_all(r"\s*\([^)]*\)", "")))["title"]
    pieces = films.select("id", part=pl.col("title").str.extract_all(r"[^():]+?(?: - |[():]|$)")).explode("part")
    pieces = pieces.with_columns(part=_folded(pl.col("part").str.replace_all(r"(?: - |[():])$", "").str.strip_chars()))
    pieces = pieces.filter(pl.col("part").str.len_chars() >= SHORTEST_PART)
    parts = pieces.group_by("id").agg(parts=pl.col("part").unique(maintain_order=True))
    return films.with_columns(full=full, short=short).join(parts, on="id", how="left", maintain_order="left")


def _folded(title: pl.Expr) -> pl.Expr:
    """The spoken title in small letters and digits."""
    lower = spoken_title(title).str.to_lowercase().str.normalize("NFKD").str.replace_all("&", "and")
    return lower.str.replace_all(r"\b(a k a|aka|a\.k\.a\.)\s", "").str.replace_all(r"[^a-z0-9]", "")
