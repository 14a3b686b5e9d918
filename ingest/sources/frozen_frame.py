"""A pickled pandas data frame as columns, without pandas and without running what a pickle may ask for.

Only the dozen names that such a file consists of are known here; any other name is refused.
"""

import lzma
import pickle
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.errors import InvalidSource


def read_frozen_frame(path: Path) -> pl.DataFrame:
    """The columns of an LZMA-compressed pickle of a pandas data frame.

    Raises: InvalidSource when the file is missing, or is anything else.
    """
    try:
        with lzma.open(path) as file:
            frame = _Restricted(file).load()
        blocks, axes = frame.state["_mgr"].arguments[0], frame.state["_mgr"].arguments[1]
        names: list[str] = axes[0].arguments[1]["data"].tolist()
        columns: dict[str, NDArray[np.generic]] = {}
        for block in blocks:
            values, places, _ = block.arguments
            order = range(len(names))[places] if isinstance(places, slice) else cast(NDArray[np.int64], places).tolist()
            columns.update({names[place]: row for place, row in zip(order, values, strict=True)})
        return pl.DataFrame({name: _series(columns[name]) for name in names})
    except FileNotFoundError as error:
        raise InvalidSource(f"no file {path}", field=path.name) from error
    except (lzma.LZMAError, pickle.UnpicklingError, AttributeError, KeyError, IndexError, TypeError) as error:
        raise InvalidSource(f"{path.name} is no frozen data frame: {error}", field=path.name) from error


class _Part:
    """Stands for a pandas object: what it was made from, and its state."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class _Frame(_Part): ...


class _Index: ...


def _array(_: type, shape: tuple[int, ...], letter: bytes) -> NDArray[np.generic]:
    return np.ndarray.__new__(np.ndarray, shape, letter.decode())


def _from_buffer(buffer: bytes, dtype: np.dtype[np.generic], shape: tuple[int, ...], order: str) -> object:
    return np.frombuffer(buffer, dtype).reshape(shape, order="F" if order == "F" else "C")


_NAMES: dict[tuple[str, str], object] = {
    ("pandas.core.frame", "DataFrame"): _Frame,
    ("pandas.core.internals.managers", "BlockManager"): _Part,
    ("pandas._libs.internals", "_unpickle_block"): _Part,
    ("pandas.core.indexes.base", "_new_Index"): _Part,
    ("pandas.core.indexes.base", "Index"): _Index,
    ("pandas.core.indexes.range", "RangeIndex"): _Index,
    ("numpy", "dtype"): np.dtype,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("builtins", "slice"): slice,
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> object:
        try:
            return _NAMES[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}") from None


def _series(values: NDArray[np.generic]) -> pl.Series:
    """Numbers as they are; objects as text, null where pandas has NaN."""
    if values.dtype != np.object_:
        return pl.Series(values)
    return pl.Series([value if isinstance(value, str) else None for value in values.tolist()], dtype=pl.String)
