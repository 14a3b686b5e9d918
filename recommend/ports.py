"""What the recommender needs from the graph and the log: two narrow protocols, met by GraphStore and Log."""

from collections.abc import Mapping
from typing import Protocol

from domain.records import Record


class GraphReader(Protocol):
    """Reads from Neo4j. Raises: GraphUnavailable or GraphRefused."""

    def rows(
        self, statement: str, parameters: Mapping[str, object], /, *, timeout_s: float = ...
    ) -> list[dict[str, object]]: ...


class LogReader(Protocol):
    """Reads from the durable log. Offsets grow; records come in their order."""

    def read(self, after: int, limit: int = ...) -> list[tuple[int, Record]]: ...

    def last_offset(self) -> int: ...
