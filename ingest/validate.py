"""Checks on columns: good rows stay vectorised, each bad row is written down and left out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

import polars as pl

from domain.errors import InvalidId
from domain.ids import MAX_ID_LENGTH, clean_id
from domain.records import Rejected
from ingest.report import RejectedLog
from ingest.times import FIRST_MS, LAST_MS, milliseconds

LINE = "\tline"  # the column with the row's line; no file has one of that name, because header names are stripped
TRUE = ("true", "yes", "y", "1")
FALSE = ("false", "no", "n", "0")
SHOWN = 60  # characters of a bad value in a reason


@dataclass(frozen=True)
class Checks:
    """The checks of one file. Every method gives the frame without its bad rows; frames may have a column LINE.

    names: what the file calls the frame's columns, where that differs.
    """

    source: str
    rejected: RejectedLog
    names: Mapping[str, str] = field(default_factory=dict[str, str])

    def reject(self, line: int | None, column: str, reason: str) -> None:
        """Writes one row down."""
        name = self.names.get(column, column)
        self.rejected.add(Rejected(source=self.source, line=line, field=name, reason=reason))

    def drop(
        self, frame: pl.DataFrame, bad: pl.Expr, *, field: str, reason: str | Callable[[object], str]
    ) -> pl.DataFrame:
        """Leaves out the rows where `bad` is true. A callable reason gets the row's value of `field`."""
        flagged = frame.with_columns(bad=bad.fill_null(False))
        wrong = flagged.filter("bad")
        if wrong.is_empty():
            return frame
        lines = wrong[LINE].to_list() if LINE in wrong.columns else [None] * len(wrong)
        values: list[object] = wrong[field].to_list() if field in wrong.columns else [None] * len(wrong)
        for line, value in zip(lines, values, strict=True):
            text = reason if isinstance(reason, str) else reason(value)
            self.reject(line, field, text)
        return flagged.filter(~pl.col("bad")).drop("bad")

    def ids(self, frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
        """The columns as ids by the rules of domain.ids: NFC text."""
        for column in columns:
            frame = frame.with_columns(pl.col(column).cast(pl.String).str.normalize("NFC"))
            value = pl.col(column)
            bad = (
                value.is_null()
                | ~value.str.len_chars().is_between(1, MAX_ID_LENGTH)
                | value.is_in([".", ".."])
                | value.str.contains(r"\p{Cc}")
            )
            frame = self.drop(frame, bad, field=column, reason=_why_no_id)
        return frame

    def numbers(self, frame: pl.DataFrame, *columns: str) -> pl.DataFrame:
        """The columns as finite floats; empty stays null."""
        for column in columns:
            before = pl.col(column)
            if frame.schema[column] == pl.String:
                before = before.str.strip_chars()
            number = before.cast(pl.Float64, strict=False)
            bad = before.is_not_null() & (number.is_null() | ~number.is_finite())
            frame = self.drop(frame, bad, field=column, reason=lambda value: f"{shown(value)} is no finite number")
            frame = frame.with_columns(number)
        return frame

    def times(
        self,
        frame: pl.DataFrame,
        column: str,
        *,
        zone: str | None = None,
        pattern: str | None = None,
        required: bool = True,
    ) -> pl.DataFrame:
        """The column as milliseconds since 1970 UTC. See ingest.times for what is read."""
        parsed = frame.with_columns(at_=milliseconds(frame[column], zone=zone, pattern=pattern))
        if required:
            parsed = self.drop(parsed, pl.col(column).is_null(), field=column, reason="the time is missing")
        bad = pl.col("at_").is_null() | ~pl.col("at_").is_between(FIRST_MS, LAST_MS)
        bad = bad & pl.col(column).is_not_null()
        parsed = self.drop(parsed, bad, field=column, reason=lambda value: _why_no_time(value, zone, pattern))
        return parsed.with_columns(pl.col("at_").alias(column)).drop("at_")

    def flags(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        """The column as booleans: true, yes, y, 1 and false, no, n, 0 in any case; empty stays null."""
        text = pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase()
        known = text.is_in([*TRUE, *FALSE])
        frame = self.drop(
            frame,
            pl.col(column).is_not_null() & ~known,
            field=column,
            reason=lambda value: f"{shown(value)} is neither true nor false",
        )
        return frame.with_columns(pl.when(pl.col(column).is_not_null()).then(text.is_in(TRUE)).alias(column))

    def entity_ids(self, frame: pl.DataFrame, column: str, label: str) -> pl.DataFrame:
        """Keys of entities as their ids "Label:key", with the limits of an id."""
        frame = frame.with_columns(pl.col(column).cast(pl.String).str.strip_chars())
        frame = self.ids(frame, column)
        longest = MAX_ID_LENGTH - len(label) - 1
        reason = f"the key of a {label} may have at most {longest} characters"
        frame = self.drop(frame, pl.col(column).str.len_chars() > longest, field=column, reason=reason)
        return frame.with_columns(pl.concat_str(pl.lit(f"{label}:"), pl.col(column)).alias(column))

    def first_of_each(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        """One row per value: the first. The others are rejected, naming the first one's line."""
        if not frame[column].is_duplicated().any():
            return frame
        place = pl.int_range(pl.len()).over(column)
        first = frame.with_columns(first_=pl.col(LINE).first().over(column)) if LINE in frame.columns else frame
        again = first.filter(place > 0)
        for row in again.iter_rows(named=True):
            reason = f"{shown(row[column])} came before, in line {row['first_']}" if "first_" in row else "came before"
            self.reject(row.get(LINE), column, reason)
        return frame.filter(place == 0)

    def known(self, frame: pl.DataFrame, column: str, known: pl.Series, what: str) -> pl.DataFrame:
        """Leaves out rows that name an id which is not among the known ones."""
        bad = ~pl.col(column).is_in(known.implode())
        return self.drop(frame, bad, field=column, reason=lambda value: f"{shown(value)} is no {what}")


def with_event_ids(frame: pl.DataFrame, source: str, key: Collection[str]) -> pl.DataFrame:
    """Adds `event_id`: a hash of the source, the natural key and the ordinal among rows of equal key.

    The same file gives the same ids on every machine and run, so that loading twice changes nothing.
    """
    columns = list(key)
    texts = frame.select(
        pl.concat_str(
            *(pl.col(name).cast(pl.String).fill_null("") for name in columns),
            pl.int_range(pl.len()).over(columns).cast(pl.String),
            separator="\x1f",
        ).alias("text")
    )["text"]
    salt = blake2b(source.encode(), digest_size=16).digest()
    ids = [blake2b(text.encode(), digest_size=16, key=salt).hexdigest() for text in texts.to_list()]
    return frame.with_columns(pl.Series("event_id", ids, dtype=pl.String))


def shown(value: object) -> str:
    """A value as a reason shows it: quoted, and cut when it is long."""
    text = str(value)
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")


def _why_no_id(value: object) -> str:
    if value is None:
        return "the id is missing"
    try:
        clean_id(value)
    except InvalidId as error:
        return error.message
    return f"{shown(value)} is no id"


def _why_no_time(value: object, zone: str | None, pattern: str | None) -> str:
    if pattern not in (None, "iso", "epoch_s", "epoch_ms"):
        return f"{shown(value)} is no time of the form {pattern}"
    if zone is None and isinstance(value, str) and value[:1].isdigit() and "-" in value:
        return f"{shown(value)} names no time zone, or is no ISO 8601 time"
    return f"{shown(value)} is neither an ISO 8601 time nor seconds or milliseconds since 1970"
