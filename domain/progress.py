"""How long work reports that it moves, without knowing who watches."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Whoever shows progress: a bar in a terminal, a line in a log, or nobody."""

    def step(self, name: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """Open one step. The callable it gives advances it by a count; total None means unknown."""
        ...


class Within:
    """A Progress of one of several pieces of work: its steps begin with the piece's name."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name

    def step(self, name: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        return self._progress.step(f"{self._name}: {name}", total)


class Silent:
    """A Progress that shows nothing."""

    @contextmanager
    def step(self, name: str, total: int | None = None) -> Generator[Callable[[int], None], None, None]:
        del name, total
        yield lambda _: None
