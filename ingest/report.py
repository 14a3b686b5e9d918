"""What a load brought and what it left out."""

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from domain.errors import DiskFull
from domain.records import Rejected
from domain.tables import Dataset

_QUOTED, _WORD = re.compile(r"'([^']+)'|\"([^\"]+)\""), re.compile(r"[^\s'\",;:()]+")


class RejectedLog:
    """A file of rejected rows, one JSON object per line: {"source", "line", "field", "reason"}.

    A context manager over one run. Rows go to `<path>.part`, which takes the place of `path` when the run ends, also
    when it ends with an error: an earlier run's rows stay until then. Without a rejected row the file is empty.
    A row is written once, with its first fault, also when several tables read it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self.first: dict[str, Rejected] = {}
        self._seen: set[tuple[str, int]] = set()
        self._part = path.with_name(path.name + ".part")
        self._file: BinaryIO | None = None

    @property
    def total(self) -> int:
        return self.counts.total()

    def __enter__(self) -> Self:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")
        except OSError as error:
            raise DiskFull(f"cannot write rejected rows to {self.path}: {error.strerror}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            self._part.replace(self.path)

    def add(self, rejected: Rejected) -> None:
        """Counts the row and writes it, when the log is open; a row that came before is left out."""
        if rejected.line is not None:
            if (rejected.source, rejected.line) in self._seen:
                return
            self._seen.add((rejected.source, rejected.line))
        self.first.setdefault(rejected.source, rejected)
        self.counts[rejected.source] += 1
        if self._file is not None:
            self._file.write(msgspec.json.encode(rejected) + b"\n")


def scrub_rejected(path: Path, erased: Callable[[Collection[str]], Collection[str]]) -> int:
    """Takes out the rows that name an erased person. erased: which of some words are ids of one. Returns: how many.

    Twice equals once. Raises: DiskFull.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return 0
    words = [_words(line) for line in lines]
    gone = set(erased(set[str]().union(*words)))
    kept = [line for line, of_line in zip(lines, words, strict=True) if gone.isdisjoint(of_line)]
    if len(kept) < len(lines):
        part = path.with_name(path.name + ".scrubbed")
        try:
            part.write_bytes(b"".join(kept))
            part.replace(path)
        except OSError as error:
            raise DiskFull(f"cannot write {path} without an erased person: {error.strerror}") from error
    return len(lines) - len(kept)


def _words(line: bytes) -> set[str]:
    """What may be an id in a line's reason: what stands in quotes, and every word."""
    try:
        reason = msgspec.json.decode(line, type=Rejected).reason
    except msgspec.MsgspecError:
        return set()
    return {part for parts in _QUOTED.findall(reason) for part in parts if part} | set(_WORD.findall(reason))


@dataclass(frozen=True)
class LoadReport:
    """counts: users, items, entities, relations, events. rejected_file: None when no row was rejected."""

    source: str
    counts: dict[str, int]
    rejected: int
    rejected_file: Path | None
    seconds: float


def report(dataset: Dataset, rejected: RejectedLog, seconds: float) -> LoadReport:
    """What the data set holds and how many rows of its files were rejected."""
    return LoadReport(
        source=dataset.name,
        counts=count(dataset),
        rejected=rejected.total,
        rejected_file=rejected.path if rejected.total else None,
        seconds=seconds,
    )


def count(dataset: Dataset) -> dict[str, int]:
    """Rows per part of the data set."""
    return {
        "users": len(dataset.users.ids),
        "items": len(dataset.items.ids),
        "entities": sum(len(table.ids) for table in dataset.entities),
        "relations": sum(len(table.heads) for table in dataset.relations),
        "events": len(dataset.events),
    }
