"""Text files as columns of text: every good row vectorised, every bad row reported with its line.

A frame read here has the file's columns as text, and LINE: the 1-based line, header included (Parquet: 1-based row).
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from domain.errors import InvalidSource
from domain.records import Rejected
from ingest.report import RejectedLog
from ingest.validate import LINE


def read_delimited(
    path: Path, rejected: RejectedLog, *, separator: str, quoted: bool = True, encoding: str = "utf-8"
) -> pl.DataFrame:
    """The rows that have as many fields as the header, with text columns; empty fields are null.

    quoted: fields may be quoted as in RFC 4180, with separators and line breaks inside.
    Raises: InvalidSource for a file that is missing, empty, not text, or without a good row under its header.
    """
    lines = _decoded_lines(path, rejected, encoding)
    if not lines or not lines[0].strip():
        raise InvalidSource(f"{path.name} is empty; its first line must name the columns", field=path.name)
    header = _header(path, lines[0], separator, quoted)
    numbered = pl.DataFrame({LINE: pl.int_range(1, len(lines) + 1, eager=True, dtype=pl.UInt32), "text": lines})
    numbered = numbered.slice(1).filter(pl.col("text") != "")
    with_quotes = pl.col("text").str.contains('"', literal=True) if quoted else pl.lit(False)
    plain, slow = numbered.filter(~with_quotes), numbered.filter(with_quotes)
    parsed, inside = _parse_quoted(path, lines, slow[LINE].to_list(), separator, len(header), rejected)
    if inside:
        plain = plain.filter(~pl.col(LINE).is_in(inside))
    frame = _split(path, plain, separator, header, rejected)
    if parsed:
        extra = pl.DataFrame(parsed, schema={LINE: pl.UInt32, **dict.fromkeys(header, pl.String)}, orient="row")
        frame = pl.concat([frame, extra]).sort(LINE)
    if frame.is_empty() and len(numbered):
        raise InvalidSource(
            f"{path.name}: none of its {len(numbered)} rows has the {len(header)} fields of the header"
            f" ({', '.join(header)}); is the separator {separator!r}?",
            field=path.name,
        )
    return frame.with_columns(pl.col(header).replace("", None))


def read_bytes(path: Path) -> bytes:
    """Raises: InvalidSource for a file that is missing or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidSource(f"no file {path}; check the path", field=path.name) from error
    except OSError as error:
        raise InvalidSource(f"cannot read {path}: {error.strerror}", field=path.name) from error


def need(frame: pl.DataFrame, path: Path, *columns: str) -> None:
    """Raises: InvalidSource when a column is missing; it lists those there are."""
    for column in columns:
        if column not in frame.columns:
            there = ", ".join(name for name in frame.columns if name != LINE)
            raise InvalidSource(f"{path.name} has no column {column!r}; it has: {there}", field=column)


def _decoded_lines(path: Path, rejected: RejectedLog, encoding: str) -> list[str]:
    """Lines without their ends. A line that is not in the encoding is rejected and left empty.

    Raises: InvalidSource when the header, or every line, is not in the encoding.
    """
    blob = read_bytes(path)
    if blob.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding == "utf-8":
        raise InvalidSource(f'{path.name} is UTF-16 text; save it as UTF-8 or set encoding = "utf-16"', field=path.name)
    try:
        text = blob.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        return _lines_that_decode(path, blob, rejected, encoding)
    if "\0" in text:
        raise InvalidSource(f"{path.name} holds zero bytes: it is not a text file", field=path.name)
    return text.replace("\r\n", "\n").split("\n" if "\n" in text else "\r")


def _lines_that_decode(path: Path, blob: bytes, rejected: RejectedLog, encoding: str) -> list[str]:
    lines: list[str] = []
    for place, raw in enumerate(blob.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")):
        try:
            lines.append(raw.decode(encoding))
        except UnicodeDecodeError as error:
            if place == 0:
                raise InvalidSource(
                    f"the header of {path.name} is not {encoding}; name the file's encoding", field=path.name
                ) from error
            reason = f"not {encoding}: byte 0x{raw[error.start]:02x} at {error.start + 1}"
            rejected.add(Rejected(source=path.name, line=place + 1, field="", reason=reason))
            lines.append("")
    if not any(lines[1:]):
        raise InvalidSource(f"no line of {path.name} is {encoding}; name the file's encoding", field=path.name)
    return lines


def _header(path: Path, line: str, separator: str, quoted: bool) -> list[str]:
    quoting = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=separator, quoting=quoting))]
    except csv.Error as error:
        raise InvalidSource(f"the header of {path.name} cannot be read: {error}", field=path.name) from error
    for name in names:
        if names.count(name) > 1 or not name:
            problem = f"names {name!r} twice" if name else "leaves a column without a name"
            raise InvalidSource(f"the header of {path.name} {problem}", field=name or path.name)
    return names


def _split(
    path: Path, plain: pl.DataFrame, separator: str, header: Sequence[str], rejected: RejectedLog
) -> pl.DataFrame:
    """Splits lines without quotes; those with another number of fields are rejected."""
    counted = plain.with_columns(fields=pl.col("text").str.count_matches(separator, literal=True) + 1)
    for line, fields in counted.filter(pl.col("fields") != len(header)).select(LINE, "fields").iter_rows():
        _reject_width(path, line, fields, len(header), rejected)
    good = counted.filter(pl.col("fields") == len(header))
    split = good["text"].str.split_exact(separator, len(header) - 1).struct.rename_fields(list(header))
    return pl.DataFrame([good[LINE], *split.struct.unnest().get_columns()])


def _reject_width(path: Path, line: int, fields: int, expected: int, rejected: RejectedLog) -> None:
    reason = f"the row has {fields} fields, the header has {expected}"
    rejected.add(Rejected(source=path.name, line=line, field="", reason=reason))


def _parse_quoted(
    path: Path, lines: Sequence[str], starts: Sequence[int], separator: str, width: int, rejected: RejectedLog
) -> tuple[list[tuple[int | str, ...]], list[int]]:
    """Rows (line, fields...) of the records that hold quotes, and the lines inside records of several lines.

    A record that is broken is rejected by its first line alone, so that an unclosed quote cannot swallow the file.
    """
    rows: list[tuple[int | str, ...]] = []
    inside: list[int] = []
    following = 0
    for line in starts:
        if line < following:
            continue
        reader = csv.reader(_from(lines, line), delimiter=separator, strict=True)
        try:
            fields = next(reader)
        except (csv.Error, StopIteration) as error:
            reason = f"broken quotes: {error}"
            rejected.add(Rejected(source=path.name, line=line, field="", reason=reason))
            continue
        if len(fields) == width:
            following = line + reader.line_num
            inside.extend(range(line + 1, following))
            rows.append((line, *fields))
        else:
            _reject_width(path, line, len(fields), width, rejected)
    return rows, inside


def _from(lines: Sequence[str], line: int) -> Iterator[str]:
    """The text from a 1-based line on, with line ends, at most 1,000 lines: no field is longer."""
    return (lines[row] + "\n" for row in range(line - 1, min(line + 999, len(lines))))
