"""Any folder of RecBole's atomic files: .inter, and where they are there .item, .user, .kg and .link.

- Every .inter file is read (train, valid and test parts together). A `rating` column gives events of kind "rate" when
  its values reach at most 5 (or 10: the steps are then doubled), else of kind "take". Without `timestamp` all events
  are at the beginning of 1970: their order is not known.
- .item: a title or name, years, `token_seq` columns as entities, other columns as properties.
- .user: age as AgeBand, occupation as an entity; the other columns are personal, so they are sensitive properties.
- .kg and .link: see ingest.sources.knowledge.
"""

from pathlib import Path

import msgspec
import polars as pl

from domain.declarations import COMMON_EVENT_KINDS, Declaration, EventKind, Property
from domain.errors import InvalidSource
from domain.progress import Progress
from domain.records import Rejected
from domain.tables import Dataset
from ingest.report import RejectedLog
from ingest.sources.assemble import Assembly, empty_users, no_items
from ingest.sources.atomic import AtomicFile, find_atomic, read_atomic, read_one
from ingest.sources.catalogue import (
    AGE_BAND,
    AGE_BAND_TYPE,
    OCCUPATION,
    OCCUPATION_TYPE,
    YEAR_PROPERTY,
    describe_items,
    describe_users,
)
from ingest.sources.declared import Declared
from ingest.sources.film_links import is_foreign
from ingest.sources.films import ENTITY_TYPES, FACTS
from ingest.sources.knowledge import relate_knowledge
from ingest.sources.movies import DECADE, GENRE, GENRE_TYPE, YEAR, YEAR_TYPES
from ingest.validate import Checks, with_event_ids

TAKE = EventKind(
    name="take",
    verb="took",
    description="An interaction that the source says no more of; the value is a count where there is one.",
)
# What a folder about films, like the movies demo, is declared to hold.
FILM_DECLARATION = Declaration(
    name="movies",
    entity_types=(*YEAR_TYPES, GENRE_TYPE, AGE_BAND_TYPE, OCCUPATION_TYPE, *ENTITY_TYPES),
    relation_types=(YEAR, DECADE, GENRE, AGE_BAND, OCCUPATION, *(fact.relation for fact in FACTS)),
    event_kinds=COMMON_EVENT_KINDS,
    item_properties=(YEAR_PROPERTY,),
    user_properties=(
        Property(name="gender", description="Gender, from ml-100k.user.", sensitive=True),
        Property(name="zip_code", description="Zip code, from ml-100k.user.", sensitive=True),
    ),
)
FIVE_STARS = 5.0
TEN_STARS = 10.0


def read(path: Path, rejected: RejectedLog, progress: Progress) -> Dataset:
    """Raises: InvalidSource when the folder has no .inter file, or a file is unusable as a whole."""
    if not path.is_dir():
        raise InvalidSource(f"no folder {path}; give the folder of the atomic files", field="path")
    parts = find_atomic(path, ".inter")
    if not parts:
        raise InvalidSource(f"no .inter file in {path}; give the folder of the atomic files", field="path")
    name = parts[0].name.split(".")[0]
    declared = Declared()
    with progress.step("reading atomic files", 4) as advance:
        events, kind = _interactions(parts, name, rejected)
        assembly = Assembly(users=empty_users(), items=no_items(), events=events, item_kind="item")
        advance(1)
        items = read_one(path, ".item", rejected)
        if items:
            describe_items(items, assembly, declared, rejected)
        advance(1)
        users = read_one(path, ".user", rejected)
        if users:
            describe_users(users, assembly, declared, rejected)
        advance(1)
        _read_knowledge(path, assembly, declared, rejected, closed=items is not None)
        advance(1)
    others = tuple(other for other in COMMON_EVENT_KINDS if other.name != kind.name)
    return assembly.dataset(name, declared.declaration(name, (kind, *others)))


def _interactions(parts: list[Path], name: str, rejected: RejectedLog) -> tuple[pl.DataFrame, EventKind]:
    """All events, and the kind they are of."""
    files = [read_atomic(part, rejected) for part in parts]
    frames = [_events(file, rejected) for file in files]
    events = pl.concat(frames, how="diagonal")
    if events.is_empty():
        raise InvalidSource(
            f"none of the rows of {', '.join(part.name for part in parts)} can be used; see the rejected"
        )
    kind = _kind(events["value"])
    events = with_event_ids(events, name, ("user_id", "item_id", "at")).with_columns(kind=pl.lit(kind.name))
    return events, kind


def _events(file: AtomicFile, rejected: RejectedLog) -> pl.DataFrame:
    """user_id, item_id, value, at."""
    checks = Checks(file.path.name, rejected)
    user, item = file.column("user_id"), file.column("item_id")
    frame = checks.ids(file.frame, user, item)
    value, at = pl.lit(None, pl.Float64), pl.lit(0, pl.Int64)
    if "rating" in file.types:
        frame = checks.numbers(frame, "rating")
        value = pl.col("rating")
    if "timestamp" in file.types:
        frame = checks.times(frame, "timestamp")
        at = pl.col("timestamp")
    return frame.select(user_id=user, item_id=item, value=value, at=at)


def _kind(values: pl.Series) -> EventKind:
    """ "rate" for stars up to 5 or up to 10, else "take"."""
    rate = next(kind for kind in COMMON_EVENT_KINDS if kind.name == "rate")
    least, most = values.min(), values.max()
    if not isinstance(least, float) or not isinstance(most, float) or least < 0 or most > TEN_STARS:
        return TAKE
    if most <= FIVE_STARS:
        return rate
    return msgspec.structs.replace(
        rate,
        description="Gave up to 10 points; 8 and more count for the item, the rest as seen only.",
        steps=tuple((2 * value, factor) for value, factor in rate.steps),
    )


def _read_knowledge(path: Path, assembly: Assembly, declared: Declared, rejected: RejectedLog, *, closed: bool) -> None:
    kg, link = read_one(path, ".kg", rejected), read_one(path, ".link", rejected)
    if kg and not link:
        raise InvalidSource(f"{kg.path.name} needs a .link file that says which entity an item is", field=".link")
    if kg and link and is_foreign(link.path):
        reason = "its ids are those of another MovieLens release, so the graph is left out; the movies demo mends it"
        rejected.add(Rejected(source=link.path.name, line=None, field="item_id", reason=reason))
    elif kg and link:
        relate_knowledge(kg, link, assembly, declared, rejected, closed=closed)
