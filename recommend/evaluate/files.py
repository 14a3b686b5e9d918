"""The bench's files: who took what, and triples of knowledge. Strict: the first bad row is an error with its line.

Three forms of interactions, told apart by their first line:

    user_id<TAB>item_id[<TAB>rating][<TAB>timestamp]     columns with a header, in any order, others ignored
    user_id:token<TAB>item_id:token...                   the same with typed names (RecBole's .inter)
    user item item ...                                   one line per user, separated by spaces, no header
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from domain.errors import InvalidSource
from ingest.sources.files import read_bytes

COLUMNS = "user_id<TAB>item_id, and optionally rating and timestamp"
EXPECTED = f"expected a header {COLUMNS}, RecBole's typed header, or lines `user item item ...`"
MOST_SECONDS = 100_000_000_000  # above: milliseconds
FIRST_ROW = 2  # the line of the row below the header
HEADS, RELATIONS, TAILS = ("head", "head_id", "h"), ("relation", "relation_id", "r"), ("tail", "tail_id", "t")


@dataclass(frozen=True)
class Part:
    """One file of interactions, in its order.

    users, items (n,) text; ratings (n,) float64 or None; at (n,) int64 milliseconds UTC or None.
    named_users: every user that the file names, in order of appearance: a line of one user without items counts.
    """

    users: pl.Series
    items: pl.Series
    ratings: pl.Series | None
    at: pl.Series | None
    named_users: pl.Series

    def __len__(self) -> int:
        return len(self.users)


def read_part(path: Path) -> Part:
    """Raises: InvalidSource for a file that is missing, empty or in another form; it names the line and the field."""
    lines = _lines(path)
    first = lines[0]
    if "\t" in first:
        return _read_columns(path, lines)
    if "user_id" in first or ("," in first and " " not in first):
        separator = "commas" if "," in first else "something else"
        raise InvalidSource(
            f"{path.name}, line 1: the columns are separated by {separator}, not by tabs; {EXPECTED}", field=path.name
        )
    return _read_adjacency(path, lines)


def read_triples(path: Path) -> pl.DataFrame:
    """head, relation, tail as text. The header is optional; RecBole's .kg has typed names.

    Raises: InvalidSource for a file that is missing, empty or without three columns.
    """
    lines = _lines(path)
    names = _plain(lines[0].split("\t"))
    places = [next((names.index(name) for name in group if name in names), -1) for group in (HEADS, RELATIONS, TAILS)]
    if min(places) >= 0:
        return _fields(path, lines, names, {"head": places[0], "relation": places[1], "tail": places[2]}, skip=1)
    if len(names) != 3:
        raise InvalidSource(
            f"{path.name}, line 1: {len(names)} fields; a graph has the three columns head, relation and tail, "
            "separated by tabs",
            field=path.name,
        )
    return _fields(path, lines, ["head", "relation", "tail"], {"head": 0, "relation": 1, "tail": 2}, skip=0)


def read_links(path: Path) -> pl.DataFrame:
    """item_id, entity_id as text: which entity of the graph an item is.

    Raises: InvalidSource for a file that is missing, empty or without these columns.
    """
    lines = _lines(path)
    names = _plain(lines[0].split("\t"))
    places = {name: _place(path, names, name) for name in ("item_id", "entity_id")}
    return _fields(path, lines, names, places, skip=1)


def read_ranks(path: Path) -> pl.DataFrame:
    """user_id, item_id as text and rank as a number, of a file of lists; other columns are ignored.

    Raises: InvalidSource for a file that is missing, empty or without these columns.
    """
    lines = _lines(path)
    names = _plain(lines[0].split("\t"))
    for name in ("user_id", "rank", "item_id"):
        if name not in names:
            raise InvalidSource(
                f"{path.name}, line 1: no column {name}; lists have user_id, rank and item_id, separated by tabs",
                field=name,
            )
    frame = _fields(path, lines, names, {name: names.index(name) for name in ("user_id", "rank", "item_id")}, skip=1)
    return frame.with_columns(rank=_numbers(path, frame, "rank"))


def _read_columns(path: Path, lines: Sequence[str]) -> Part:
    names = _plain(lines[0].split("\t"))
    places = {name: _place(path, names, name) for name in ("user_id", "item_id")}
    places |= {name: names.index(name) for name in ("rating", "timestamp") if name in names}
    frame = _fields(path, lines, names, places, skip=1)
    ratings = _numbers(path, frame, "rating") if "rating" in places else None
    at = _numbers(path, frame, "timestamp") if "timestamp" in places else None
    if at is not None:
        newest = at.max()
        seconds = isinstance(newest, float) and newest < MOST_SECONDS
        at = (at * (1000 if seconds else 1)).cast(pl.Int64)
    users = frame["user_id"]
    return Part(users, frame["item_id"], ratings, at, users.unique(maintain_order=True))


def _read_adjacency(path: Path, lines: Sequence[str]) -> Part:
    tokens = pl.DataFrame({"all": pl.Series(lines, dtype=pl.String)}).select(
        tokens=pl.col("all").str.strip_chars().str.replace_all(r"[ \t]+", " ").str.split(" ")
    )
    tokens = tokens.filter(pl.col("tokens").list.first() != "")
    split = tokens.select(user=pl.col("tokens").list.first(), items=pl.col("tokens").list.slice(1))
    pairs = split.explode("items").drop_nulls("items").rename({"items": "item"})
    if pairs.is_empty():
        raise InvalidSource(f"{path.name} holds no (user, item) pair; {EXPECTED}", field=path.name)
    return Part(pairs["user"], pairs["item"], None, None, split["user"].unique(maintain_order=True))


def _lines(path: Path) -> list[str]:
    """The lines without their ends; blank ones at the end are left off."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidSource(f"{path.name} is no UTF-8 text (byte {error.start + 1}); {EXPECTED}") from error
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if not lines[0].strip():
        raise InvalidSource(f"{path.name}, line 1: it is empty; {EXPECTED}", field=path.name)
    return lines


def _plain(names: Sequence[str]) -> list[str]:
    """Names without the type that RecBole writes behind them."""
    return [name.strip().partition(":")[0] for name in names]


def _place(path: Path, names: Sequence[str], name: str) -> int:
    if name not in names:
        raise InvalidSource(
            f"{path.name}, line 1: no column {name}; it has {', '.join(names)} (expected a header {COLUMNS})"
            if name != "entity_id"
            else f"{path.name}, line 1: no column entity_id; a link file has item_id and entity_id",
            field=name,
        )
    return names.index(name)


def _fields(
    path: Path, lines: Sequence[str], header: Sequence[str], places: dict[str, int], *, skip: int
) -> pl.DataFrame:
    """The columns at these places as text, none of them empty."""
    rows = pl.DataFrame({"text": pl.Series(lines[skip:], dtype=pl.String)})
    counted = rows["text"].str.count_matches("\t", literal=True) + 1
    wrong = (counted != len(header)).arg_true()
    if len(wrong):
        line = int(wrong[0]) + 1 + skip
        raise InvalidSource(
            f"{path.name}, line {line}: {counted[int(wrong[0])]} fields, where there are {len(header)} columns "
            f"({', '.join(header)})",
            field=path.name,
        )
    split = rows["text"].str.split_exact("\t", len(header) - 1).struct.unnest().get_columns()
    frame = pl.DataFrame({name: split[place] for name, place in places.items()})
    if frame.is_empty():
        raise InvalidSource(f"{path.name} has a header and no rows", field=path.name)
    for name in places:
        empty = (frame[name] == "").arg_true()
        if len(empty):
            raise InvalidSource(f"{path.name}, line {int(empty[0]) + 1 + skip}: {name} is empty", field=name)
    return frame


def _numbers(path: Path, frame: pl.DataFrame, name: str) -> pl.Series:
    numbers = frame[name].str.strip_chars().cast(pl.Float64, strict=False)
    wrong = (numbers.is_null() | ~numbers.is_finite().fill_null(False)).arg_true()
    if len(wrong):
        row = int(wrong[0])
        raise InvalidSource(
            f"{path.name}, line {row + FIRST_ROW}: {name} is {frame[name][row]!r}, which is no number", field=name
        )
    return numbers
