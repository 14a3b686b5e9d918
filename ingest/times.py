"""Times of files as milliseconds since 1970 UTC.

Read are: seconds or milliseconds since 1970 (told apart by their size), ISO 8601 dates and times with or without an
offset, a pattern of strptime, and Parquet's own dates and times. A time without an offset is local time of `zone`;
an hour that comes twice (autumn) is its first coming, an hour that is skipped (spring) is read one hour later.
"""

import polars as pl

FIRST_MS = -62_135_596_800_000  # 0001-01-01
LAST_MS = 253_402_300_799_999  # 9999-12-31
_MILLISECONDS_FROM = 100_000_000_000  # as seconds it would be the year 5138; as milliseconds it is 1973
_ISO = (
    r"^\s*(?<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:[.,](?<fraction>[0-9]{1,9}))?)?"
    r"\s?(?<offset>[Zz]|[+-][0-9]{2}:?(?:[0-9]{2})?)?\s*$"
)


def milliseconds(values: pl.Series, *, zone: str | None, pattern: str | None) -> pl.Series:
    """(n,) Int64; null where a value is no time, or has no offset while `zone` is None.

    pattern: None (by what the value looks like), "iso", "epoch_s", "epoch_ms", or a strptime pattern.
    """
    name = values.name
    if isinstance(values.dtype, pl.Datetime):
        return _from_datetime(values, zone)
    if values.dtype == pl.Date:
        return _from_datetime(values.cast(pl.Datetime("ms")), zone)
    frame = values.rename("value").to_frame()
    if pattern not in (None, "iso", "epoch_s", "epoch_ms"):
        return frame.select(_patterned(pl.col("value").cast(pl.String), pattern or "", zone).alias(name))[name]
    number = pl.col("value").cast(pl.Float64, strict=False)
    seconds = (number * 1000).round().cast(pl.Int64, strict=False)
    whole = number.round().cast(pl.Int64, strict=False)
    guessed = pl.when(number.abs() < _MILLISECONDS_FROM).then(seconds).otherwise(whole)
    epoch = {"epoch_s": seconds, "epoch_ms": whole, "iso": pl.lit(None, pl.Int64)}.get(pattern or "", guessed)
    if values.dtype != pl.String or pattern in ("epoch_s", "epoch_ms"):
        return frame.select(epoch.alias(name))[name]
    return frame.select(pl.coalesce(epoch, _iso(pl.col("value"), zone)).alias(name))[name]


def _from_datetime(values: pl.Series, zone: str | None) -> pl.Series:
    frame = values.rename("value").to_frame()
    aware = isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone is not None
    column = pl.col("value").dt.cast_time_unit("ms")
    result = column.dt.epoch("ms") if aware else _localised(column, zone)
    return frame.select(result.alias(values.name))[values.name]


def _localised(naive: pl.Expr, zone: str | None) -> pl.Expr:
    if zone is None:
        return pl.lit(None, pl.Int64)
    later = naive.dt.offset_by("1h")
    aware = pl.coalesce(
        *(time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null") for time in (naive, later))
    )
    return aware.dt.epoch("ms")


def _iso(text: pl.Expr, zone: str | None) -> pl.Expr:
    parts = text.str.extract_groups(_ISO)
    clock = parts.struct.field("clock").fill_null("00:00")
    clock = pl.when(clock.str.len_chars() == 5).then(clock + ":00").otherwise(clock)
    naive = (parts.struct.field("date") + " " + clock).str.to_datetime(
        "%Y-%m-%d %H:%M:%S", time_unit="ms", strict=False
    )
    fraction = parts.struct.field("fraction").fill_null("0").str.pad_end(3, "0").str.slice(0, 3).cast(pl.Int64)
    offset = parts.struct.field("offset")
    minutes = offset.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + offset.str.tail(2).cast(
        pl.Int64, strict=False
    ) * (offset.str.len_chars() > 3)
    signed = pl.when(offset.str.starts_with("-")).then(-minutes).otherwise(minutes)
    shift = pl.when(offset.str.to_lowercase() == "z").then(0).otherwise(signed) * 60_000
    aware = naive.dt.epoch("ms") - shift
    return pl.when(offset.is_null()).then(_localised(naive, zone)).otherwise(aware) + fraction


def _patterned(text: pl.Expr, pattern: str, zone: str | None) -> pl.Expr:
    if any(code in pattern for code in ("%z", "%#z", "%:z", "%+")):
        return text.str.to_datetime(pattern, time_unit="ms", strict=False, time_zone="UTC").dt.epoch("ms")
    dated = any(code in pattern for code in ("%H", "%I", "%T", "%R", "%X", "%c", "%s"))
    naive = (
        text.str.to_datetime(pattern, time_unit="ms", strict=False)
        if dated
        else text.str.to_date(pattern, strict=False).cast(pl.Datetime("ms"))
    )
    return _localised(naive, zone)
