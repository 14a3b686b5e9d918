"""What .item and .user files say of items and users."""

import polars as pl

from domain.declarations import EntityType, Property, RelationType
from domain.records import Rejected
from ingest.report import RejectedLog
from ingest.sources.assemble import Assembly, item_frame
from ingest.sources.atomic import AtomicFile
from ingest.sources.declared import Declared, in_words, label_name, relation_name
from ingest.sources.movies import (
    DECADE,
    GENRE,
    GENRE_TYPE,
    NO_GENRE,
    YEAR,
    YEAR_TYPES,
    relate_named,
    relate_years,
    spoken_title,
)
from ingest.validate import LINE, Checks, shown

GENRE_COLUMNS = ("class", "genre", "genres")
YEAR_COLUMNS = ("release_year", "year")
AGE_BANDS = ((0, "under 18"), (18, "18-24"), (25, "25-34"), (35, "35-44"), (45, "45-49"), (50, "50-55"), (56, "56+"))

YEAR_PROPERTY = Property(name="year", description="The year it came out.")
AGE_BAND = RelationType(
    type="IN_AGE_BAND", head="User", tail="AgeBand", description="The user's age.", same="age band", phrase="aged"
)
OCCUPATION = RelationType(
    type="HAS_OCCUPATION",
    head="User",
    tail="Occupation",
    description="What the user does.",
    same="occupation",
    phrase="working as",
)
AGE_BAND_TYPE = EntityType(label="AgeBand", noun="age band", description="A range of ages.")
OCCUPATION_TYPE = EntityType(label="Occupation", noun="occupation", description="What a user does.")


def describe_items(file: AtomicFile, assembly: Assembly, declared: Declared, rejected: RejectedLog) -> None:
    """Items with name, years, entities of the `token_seq` columns, and the other columns as properties."""
    checks = Checks(file.path.name, rejected)
    item = file.column("item_id")
    frame = checks.first_of_each(checks.ids(file.frame, item), item).rename({item: "id"})
    rest = [name for name in file.types if name != item]
    name = next((column for column in rest if column.endswith(("title", "name"))), None)
    if name:
        frame = frame.with_columns(name=spoken_title(pl.col(name)))
        rest.remove(name)
    if name == "movie_title":
        assembly.item_kind = "movie"
    year = next((column for column in rest if column in YEAR_COLUMNS), None)
    if year:
        frame = _with_years(frame, year, assembly, declared, checks)
        rest.remove(year)
    for column in rest:
        if file.types[column] == "token_seq":
            _relate_words(frame, column, assembly, declared)
        elif file.types[column] == "float":
            frame = checks.numbers(frame, column)
    properties = [column for column in rest if file.types[column] in ("token", "float") and column not in _TAKEN]
    declared.item_properties.extend(
        Property(name=column, description=_from_file(file, column)) for column in properties
    )
    kept = [column for column in ("id", "name", "year", *properties) if column in frame.columns]
    assembly.items = item_frame(frame.select(kept), assembly.item_kind)


def describe_users(file: AtomicFile, assembly: Assembly, declared: Declared, rejected: RejectedLog) -> None:
    """Users with age band and occupation; all other columns are personal and become sensitive properties."""
    checks = Checks(file.path.name, rejected)
    user = file.column("user_id")
    frame = checks.first_of_each(checks.ids(file.frame, user), user).rename({user: "id"})
    rest = [name for name in file.types if name != user]
    if "age" in rest:
        _relate_ages(checks.numbers(frame, "age"), assembly, declared)
        rest.remove("age")
    if "occupation" in rest:
        declared.entity(OCCUPATION_TYPE)
        work = frame.drop_nulls("occupation").select("occupation", head="id")
        relate_named(assembly, declared.relation(OCCUPATION), work, "occupation")
        rest.remove("occupation")
    kept = [column for column in rest if column != "id"]
    declared.user_properties.extend(
        Property(name=column, description=_from_file(file, column), sensitive=True) for column in kept
    )
    assembly.users = frame.select("id", *kept)


_TAKEN = ("id", "name", "item_kind", "available", "created_at", "year")


def _from_file(file: AtomicFile, column: str) -> str:
    return f"{in_words(column).capitalize()}, from {file.path.name}."


def _with_years(
    frame: pl.DataFrame, column: str, assembly: Assembly, declared: Declared, checks: Checks
) -> pl.DataFrame:
    """Adds `year`. What is no year is written down, and the item kept without it."""
    frame = frame.with_columns(year=pl.col(column).str.extract(r"^([0-9]{4})(?:\.0)?$").cast(pl.Int64))
    odd = frame.filter(pl.col(column).is_not_null() & pl.col("year").is_null())
    for line, value in odd.select(LINE, column).iter_rows():
        reason = f"{shown(value)} is no year; the item is kept without it"
        checks.rejected.add(Rejected(source=checks.source, line=line, field=column, reason=reason))
    for kind in YEAR_TYPES:
        declared.entity(kind)
    declared.relation(YEAR)
    declared.relation(DECADE)
    declared.item_properties.append(YEAR_PROPERTY)
    relate_years(assembly, frame)
    return frame


def _relate_words(frame: pl.DataFrame, column: str, assembly: Assembly, declared: Declared) -> None:
    """One entity per word of a `token_seq` column."""
    if column in GENRE_COLUMNS:
        declared.entity(GENRE_TYPE)
        relation = declared.relation(GENRE)
    else:
        label = label_name(column, declared.entity_types)
        noun = in_words(column)
        declared.entity(EntityType(label=label, noun=noun, description=f"A {noun} of items."))
        relation = declared.relation(
            RelationType(
                type=relation_name([f"HAS_{column}"], declared.relation_types),
                head="Item",
                tail=label,
                description=f"A {noun} of the item.",
                same=noun,
                phrase=f"with {noun}",
            )
        )
    words = frame.select(pl.col(column).str.split(" "), head="id").explode(column).drop_nulls()
    words = words.filter((pl.col(column) != "") & ~pl.col(column).is_in(NO_GENRE))
    relate_named(assembly, relation, words, column)


def _relate_ages(frame: pl.DataFrame, assembly: Assembly, declared: Declared) -> None:
    declared.entity(AGE_BAND_TYPE)
    band = pl.lit(AGE_BANDS[0][1])
    for least, name in AGE_BANDS[1:]:
        band = pl.when(pl.col("age") >= least).then(pl.lit(name)).otherwise(band)
    aged = frame.drop_nulls("age").select(head="id", band=band)
    relate_named(assembly, declared.relation(AGE_BAND), aged, "band")
