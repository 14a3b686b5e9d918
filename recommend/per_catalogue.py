"""What takes long to make of a catalogue, kept until there is another one."""

from collections.abc import Callable
from typing import Generic, TypeVar

from recommend.catalogue import Catalogue

T = TypeVar("T")


class PerCatalogue(Generic[T]):
    """`of(catalogue)` makes it once. Threads that ask at the same moment may each make it."""

    def __init__(self, make: Callable[[Catalogue], T]) -> None:
        self._make = make
        self._last: tuple[Catalogue, T] | None = None

    def of(self, catalogue: Catalogue) -> T:
        last = self._last
        if last is None or last[0] is not catalogue:
            last = self._last = (catalogue, self._make(catalogue))
        return last[1]
