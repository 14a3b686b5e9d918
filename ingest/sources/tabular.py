"""Files of any format that a mapping may name, as frames of text with their lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from domain.errors import InvalidSource
from domain.records import Rejected
from ingest.mapping import FileOptions
from ingest.report import RejectedLog
from ingest.sources.files import need, read_bytes, read_delimited
from ingest.validate import LINE

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}


@dataclass(frozen=True)
class Wanted:
    """What the mapping takes from one file: columns; those of them that hold ids; those whose values may be lists."""

    columns: tuple[str, ...]
    ids: frozenset[str]
    lists: frozenset[str]


def read_table(path: Path, options: FileOptions, wanted: Wanted, rejected: RejectedLog) -> pl.DataFrame:
    """The wanted columns, and LINE. Text throughout, but for Parquet's numbers and times, and lists.

    Raises: InvalidSource when the file is missing, unreadable, empty or without one of the columns.
    """
    form = options.format or FORMATS.get(path.suffix.lower())
    if form is None:
        endings = ", ".join(FORMATS)
        raise InvalidSource(f"{path.name}: set format, or use one of the endings {endings}", field="format")
    if form == "parquet":
        frame = _read_parquet(path, wanted)
    elif form == "jsonl":
        frame = _read_jsonl(path, wanted, rejected)
    else:
        delimiter = options.delimiter or ("," if form == "csv" else "\t")
        frame = read_delimited(path, rejected, separator=delimiter, encoding=options.encoding)
    need(frame, path, *wanted.columns)
    return frame.select(LINE, *wanted.columns)


def _read_parquet(path: Path, wanted: Wanted) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except FileNotFoundError as error:
        raise InvalidSource(f"no file {path}; check the path in the mapping", field=path.name) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidSource(f"{path.name} is no Parquet file: {error}", field=path.name) from error
    for name in wanted.columns:
        kind = frame.schema.get(name, pl.String())
        if name in wanted.ids and (kind.is_float() or kind == pl.Boolean):
            raise InvalidSource(
                f"{path.name}: the id column {name} is {kind}; write ids as text or whole numbers", field=name
            )
        if isinstance(kind, _UNREADABLE) or (kind.is_nested() and name not in wanted.lists):
            raise InvalidSource(f"{path.name}: the column {name} is {kind}; write one value per row", field=name)
    categories = [name for name, kind in frame.schema.items() if isinstance(kind, (pl.Categorical, pl.Enum))]
    frame = frame.with_columns(pl.col(categories).cast(pl.String)).drop(LINE, strict=False)
    return frame.with_row_index(LINE, offset=1)


def _read_jsonl(path: Path, wanted: Wanted, rejected: RejectedLog) -> pl.DataFrame:
    raw = read_bytes(path).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    lines, rows = _decode(path, raw, wanted, rejected)
    if not rows:
        raise InvalidSource(f"{path.name} holds no usable JSON object; write one per line", field=path.name)
    there = dict.fromkeys(key for row in rows for key in row)
    for name in wanted.columns:
        if name not in there:
            raise InvalidSource(f"{path.name} has no field {name!r}; it has: {', '.join(there)}", field=name)
    series = [_column(name, [row.get(name) for row in rows]) for name in wanted.columns]
    return pl.DataFrame([pl.Series(LINE, lines, dtype=pl.UInt32), *series])


def _decode(
    path: Path, raw: Sequence[bytes], wanted: Wanted, rejected: RejectedLog
) -> tuple[list[int], list[dict[str, object]]]:
    lines: list[int] = []
    rows: list[dict[str, object]] = []
    decode = msgspec.json.Decoder(dict[str, object]).decode
    refused = {name: _refused(name, wanted) for name in wanted.columns}
    for line, text in enumerate(raw, start=1):
        if not text.strip():
            continue
        try:
            row = decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            rejected.add(Rejected(source=path.name, line=line, field="", reason=f"not a JSON object: {error}"))
            continue
        wrong = next((name for name, kinds in refused.items() if isinstance(row.get(name), kinds)), None)
        if wrong is None:
            lines.append(line)
            rows.append(row)
        else:
            expected = "an id is text or a whole number" if wrong in wanted.ids else "one value is expected"
            reason = f"{expected}, not {_KINDS[type(row[wrong])]}"
            rejected.add(Rejected(source=path.name, line=line, field=wrong, reason=reason))
    return lines, rows


_KINDS: dict[type, str] = {float: "a fraction", bool: "true or false", list: "a list", dict: "an object"}
_UNREADABLE = (pl.Struct, pl.Binary, pl.Object)


def _refused(name: str, wanted: Wanted) -> tuple[type, ...]:
    """The types that a field's value must not have."""
    nested = (dict,) if name in wanted.lists else (dict, list)
    return (*nested, float, bool) if name in wanted.ids else nested


def _column(name: str, values: list[object]) -> pl.Series:
    """Text; a column with a list in it is a column of lists."""
    if any(isinstance(value, list) for value in values):
        lists = [[_text(each) for each in value] if isinstance(value, list) else _as_list(value) for value in values]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    return pl.Series(name, [_text(value) for value in values], dtype=pl.String)


def _as_list(value: object) -> list[str | None] | None:
    return None if value is None else [_text(value)]


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()
