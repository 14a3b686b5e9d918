"""A MovieLens folder (ratings.csv, movies.csv), with what else is there: tags.csv, people, keywords, countries.

People, keywords, countries and languages come from kg_triples_named.csv (`movieId,relation,entity`), or else people
from movies_people.csv (`actors`, `director`, values between |). Both know entities by name, so namesakes are one.
Content ratings come from movies_imdb5000_extra.csv. Every tag anyone gave a film is an entity of the film.
"""

from pathlib import Path

import polars as pl

from domain.declarations import COMMON_EVENT_KINDS, Declaration, EntityType, Property, RelationType
from domain.errors import InvalidSource
from domain.progress import Progress
from domain.tables import Dataset
from ingest.report import RejectedLog
from ingest.sources.assemble import Assembly, empty_users, item_frame
from ingest.sources.files import need, read_delimited
from ingest.sources.films import ENTITY_TYPES, FACTS
from ingest.sources.movies import DECADE, GENRE, GENRE_TYPE, NO_GENRE, YEAR, YEAR_TYPES, relate_years, spoken_title
from ingest.validate import Checks, with_event_ids

NAME = "movielens"
FILM_RELATIONS = {fact.relation.type: fact.relation for fact in FACTS}
KEYWORD = RelationType(
    type="HAS_KEYWORD",
    head="Item",
    tail="Keyword",
    description="A keyword of its plot.",
    same="keyword",
    phrase="about",
)
TAG = RelationType(
    type="HAS_TAG", head="Item", tail="Tag", description="A tag that someone gave it.", same="tag", phrase="tagged"
)
OWN_TYPES = (
    EntityType(label="Keyword", noun="keyword", description="A keyword of plots."),
    EntityType(label="Tag", noun="tag", description="A tag that people give films, in small letters."),
)
# relation of kg_triples_named.csv -> ours; genres come from movies.csv
TRIPLES = {
    "ACTED_BY": FILM_RELATIONS["ACTED_BY"],
    "DIRECTED_BY": FILM_RELATIONS["DIRECTED_BY"],
    "FROM_COUNTRY": FILM_RELATIONS["FROM_COUNTRY"],
    "IN_LANGUAGE": FILM_RELATIONS["IN_LANGUAGE"],
    "HAS_KEYWORD": KEYWORD,
    "IN_GENRE": GENRE,
}
CONTENT_RATING = FILM_RELATIONS["HAS_CONTENT_RATING"]
_RELATIONS = (GENRE, YEAR, DECADE, *(relation for relation in TRIPLES.values() if relation is not GENRE))

DECLARATION = Declaration(
    name=NAME,
    entity_types=(
        GENRE_TYPE,
        *YEAR_TYPES,
        *(kind for kind in ENTITY_TYPES if kind.label in ("Person", "Country", "Language", "ContentRating")),
        *OWN_TYPES,
    ),
    relation_types=(*_RELATIONS, CONTENT_RATING, TAG),
    event_kinds=COMMON_EVENT_KINDS,
    item_properties=(Property(name="year", description="The year the film came out."),),
)


def read(path: Path, rejected: RejectedLog, progress: Progress) -> Dataset:
    """Raises: InvalidSource when ratings.csv or movies.csv is missing, or a file lacks a column."""
    if not path.is_dir():
        raise InvalidSource(f"no folder {path}; give the folder with ratings.csv and movies.csv", field="path")
    with progress.step("reading films and ratings", 3) as advance:
        movies = _movies(path, rejected)
        advance(1)
        assembly = Assembly(
            users=empty_users(),
            items=item_frame(movies.select("id", "name", "year"), "movie"),
            events=_ratings(path, rejected),
            item_kind="movie",
        )
        advance(1)
        _relate_catalogue(movies, assembly)
        for file, relate in _OPTIONAL:
            if (path / file).is_file():
                relate(path / file, assembly, rejected)
        advance(1)
    return assembly.dataset(NAME, DECLARATION)


def _read(path: Path, rejected: RejectedLog, *columns: str) -> tuple[pl.DataFrame, Checks]:
    frame = read_delimited(path, rejected, separator=",")
    need(frame, path, *columns)
    checks = Checks(path.name, rejected)
    return checks.ids(frame, "movieId"), checks


def _movies(path: Path, rejected: RejectedLog) -> pl.DataFrame:
    """id, name, year, genres. The year stands in brackets at the end of a title; of "(1975-1979)" the first counts."""
    frame, checks = _read(path / "movies.csv", rejected, "movieId", "title", "genres")
    frame = checks.first_of_each(frame, "movieId")
    title = pl.col("title").str.strip_chars()
    return frame.select(
        id="movieId",
        name=spoken_title(title.str.replace(r"\s*\([0-9]{4}[^)]*\)$", "")),
        year=title.str.extract(r"\(([0-9]{4})[^)]*\)$").cast(pl.Int64),
        genres="genres",
    )


def _ratings(path: Path, rejected: RejectedLog) -> pl.DataFrame:
    frame, checks = _read(path / "ratings.csv", rejected, "userId", "movieId", "rating", "timestamp")
    frame = checks.numbers(checks.times(checks.ids(frame, "userId"), "timestamp"), "rating")
    events = frame.select(user_id="userId", item_id="movieId", value="rating", at="timestamp", kind=pl.lit("rate"))
    return with_event_ids(events, NAME, ("user_id", "item_id", "at"))


def _relate_catalogue(movies: pl.DataFrame, assembly: Assembly) -> None:
    relate_years(assembly, movies)
    genres = movies.select(pl.col("genres").str.split("|"), head="id").explode("genres")
    genres = genres.filter(~pl.col("genres").is_in(NO_GENRE)).drop_nulls().rename({"genres": "value"})
    _relate(GENRE, genres, assembly)


def _relate_triples(path: Path, assembly: Assembly, rejected: RejectedLog) -> None:
    frame, checks = _read(path, rejected, "movieId", "relation", "entity")
    frame = checks.known(frame, "relation", pl.Series(list(TRIPLES)), f"relation; there are {', '.join(TRIPLES)}")
    frame = _of_films(frame, "entity", assembly, checks)
    for name, relation in TRIPLES.items():
        if relation is not GENRE:
            rows = frame.filter(pl.col("relation") == name)
            _relate(relation, rows, assembly)


def _relate_people(path: Path, assembly: Assembly, rejected: RejectedLog) -> None:
    if (path.parent / "kg_triples_named.csv").is_file():
        return
    frame, checks = _read(path, rejected, "movieId", "actors", "director")
    for column, name in (("actors", "ACTED_BY"), ("director", "DIRECTED_BY")):
        people = frame.with_columns(pl.col(column).str.split("|")).explode(column).drop_nulls(column)
        _relate(FILM_RELATIONS[name], _of_films(people, column, assembly, checks), assembly)


def _relate_content_ratings(path: Path, assembly: Assembly, rejected: RejectedLog) -> None:
    frame, checks = _read(path, rejected, "movieId", "content_rating")
    rated = _of_films(frame.drop_nulls("content_rating"), "content_rating", assembly, checks)
    _relate(CONTENT_RATING, rated, assembly)


def _relate_tags(path: Path, assembly: Assembly, rejected: RejectedLog) -> None:
    frame, checks = _read(path, rejected, "movieId", "tag")
    frame = frame.with_columns(pl.col("tag").str.to_lowercase())
    _relate(TAG, _of_films(frame, "tag", assembly, checks), assembly)


def _of_films(frame: pl.DataFrame, column: str, assembly: Assembly, checks: Checks) -> pl.DataFrame:
    """head, value, and the other columns; rows of films that no file names are rejected."""
    known = pl.concat([assembly.items["id"], assembly.events["item_id"]]).unique()
    frame = checks.known(frame, "movieId", known, "film of movies.csv or ratings.csv")
    frame = frame.with_columns(pl.col(column).str.strip_chars())
    return checks.ids(frame, column).rename({"movieId": "head", column: "value"})


def _relate(relation: RelationType, rows: pl.DataFrame, assembly: Assembly) -> None:
    """Relations from `head` to entities named by `value`."""
    named = rows.select("head", tail=pl.concat_str(pl.lit(f"{relation.tail}:"), "value"), name="value")
    assembly.relate(relation, named)
    assembly.describe(relation.tail, named.select(id="tail", name="name").unique("id", maintain_order=True))


_OPTIONAL = (
    ("kg_triples_named.csv", _relate_triples),
    ("movies_people.csv", _relate_people),
    ("movies_imdb5000_extra.csv", _relate_content_ratings),
    ("tags.csv", _relate_tags),
)
