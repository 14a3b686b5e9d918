"""RecBole's atomic files: tab-separated, without quoting, a type in each header ("item_id:token")."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from domain.errors import InvalidSource
from ingest.report import RejectedLog
from ingest.sources.files import read_delimited
from ingest.validate import LINE

TYPES = ("token", "token_seq", "float", "float_seq")


@dataclass(frozen=True)
class AtomicFile:
    """One file. frame: text columns by their plain names, and LINE; types: name -> one of TYPES."""

    path: Path
    frame: pl.DataFrame
    types: Mapping[str, str]

    def column(self, *names: str) -> str:
        """The first of the names that the file has.

        Raises: InvalidSource when it has none of them.
        """
        for name in names:
            if name in self.types:
                return name
        raise InvalidSource(
            f"{self.path.name} has no column {' or '.join(names)}; it has: {', '.join(self.types)}", field=names[0]
        )


def find_atomic(folder: Path, suffix: str) -> list[Path]:
    """The files with the suffix, by name."""
    return sorted(path for path in folder.glob(f"*{suffix}") if path.is_file())


def read_atomic(path: Path, rejected: RejectedLog) -> AtomicFile:
    """Raises: InvalidSource for a file that cannot be read or whose header is not `name:type` throughout."""
    frame = read_delimited(path, rejected, separator="\t", quoted=False)
    types: dict[str, str] = {}
    for header in frame.columns:
        if header == LINE:
            continue
        name, colon, kind = header.rpartition(":")
        if not colon or kind not in TYPES:
            raise InvalidSource(
                f"the header of {path.name} must be name:type with a type of {', '.join(TYPES)}; got {header!r}",
                field=header,
            )
        types[name] = kind
    return AtomicFile(path, frame.rename({f"{name}:{kind}": name for name, kind in types.items()}), types)


def read_one(folder: Path, suffix: str, rejected: RejectedLog) -> AtomicFile | None:
    """The folder's file with the suffix; None without one.

    Raises: InvalidSource when there are several.
    """
    paths = find_atomic(folder, suffix)
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise InvalidSource(f"{folder.name} holds several {suffix} files ({names}); keep one", field=suffix)
    return read_atomic(paths[0], rejected) if paths else None
