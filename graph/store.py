"""The graph in Neo4j, as the rest of Clew sees it: named statements in, plain rows out."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from typing import cast

import numpy as np
from numpy.typing import NDArray

from cypher import statement
from domain.declarations import Declaration
from domain.errors import GraphRefused, UnsupportedServer
from domain.graph_answers import GraphAnswer
from domain.progress import Progress, Silent
from domain.records import Record
from domain.rules import StoredRule
from domain.tables import Dataset
from graph import apply, columns, online, schema, turns, vectors
from graph.driver import Driver
from graph.query import run_query
from graph.rules import stored_rule
from graph.turns import GAP, Place, Turn

OLDEST_VERSION = (2026, 2)  # Cypher 25 with the SEARCH clause over vector indexes, out of preview
READ_S = 30.0


@dataclass(frozen=True)
class LoadState:
    """The last load into this graph. state: "loading" (it was interrupted, or runs now) or "complete"."""

    source: str
    state: str
    fingerprint: str


class GraphStore:
    """One driver for one Neo4j; thread-safe; a context manager that closes it.

    Raises (any method): GraphUnavailable when Neo4j does not answer, GraphRefused when it answers with an error.
    """

    def __init__(self, uri: str, username: str, password: str) -> None:
        self._driver = Driver(uri, username, password)

    def __enter__(self) -> "GraphStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._driver.close()

    def verify(self) -> str:
        """The server's version. Raises: UnsupportedServer when it is no Neo4j, or one before 2026.02."""
        product, _, version = self._driver.agent().partition("/")
        if product != "Neo4j" or _version(version) < OLDEST_VERSION:
            raise UnsupportedServer(
                f"{self._driver.uri} is {product} {version}; Clew needs Neo4j 2026.02 or newer (Cypher 25 with SEARCH)"
            )
        return version

    def rows(
        self,
        name: str,
        parameters: Mapping[str, object],
        *,
        timeout_s: float = 10,
        identifiers: Mapping[str, str] | None = None,
    ) -> list[dict[str, object]]:
        """All rows of a named statement that only reads, such as "cold_start/by_tastes".

        identifiers fill the statement's slots. Values are Python's own, times aware datetimes.
        """
        text = statement(name, **identifiers or {})
        return self._driver.rows(text, parameters, timeout_s=timeout_s)

    def values(self, name: str, parameters: Mapping[str, object], **identifiers: str) -> list[list[object]]:
        """As `rows`, each row a list of the driver's own values: the fast way for columns of text and numbers."""
        text = statement(name, **identifiers)
        return [record.values() for record in self._driver.records(text, parameters, timeout_s=600)]

    def query(self, text: str, parameters: Mapping[str, object], *, limit: int, timeout_s: float) -> GraphAnswer:
        """An analyst's own Cypher, which may only read. Raises: InvalidQuery, QueryRefused, QueryTooCostly."""
        return run_query(self._driver, text, parameters, limit=limit, timeout_s=timeout_s)

    def rule_versions(self, rule_id: str, *, limit: int, timeout_s: float) -> tuple[StoredRule, ...]:
        """Every version of a merchandising rule, newest first; none of a rule that the graph never had."""
        found = self.rows("read/rule_versions", {"rule_id": rule_id, "limit": limit}, timeout_s=timeout_s)
        return tuple(stored_rule(row, rule_id) for row in found)

    def install_schema(self, declaration: Declaration) -> None:
        """Constraints, indexes and the declaration; another source's declaration is kept beside it."""
        schema.install_schema(self._driver, declaration)

    def declaration(self) -> Declaration | None:
        """What the graph declares to hold; None before the first load."""
        return schema.read_declaration(self._driver)

    def is_empty(self) -> bool:
        """Whether there is no node but Clew's own notes."""
        (row,) = self.rows("read/node_count", {}, timeout_s=READ_S)
        return row["nodes"] == 0

    def counts(self) -> dict[str, int]:
        """How many users, items, entities, events and relationships the graph holds."""
        (row,) = self.rows("read/counts", {}, timeout_s=READ_S)
        return cast(dict[str, int], row)

    def load(self, dataset: Dataset, progress: Progress | None = None) -> dict[str, int]:
        """Writes a data set in batches while the server runs. Twice equals once; completes an interrupted load."""
        fingerprint = columns.fingerprint(dataset)
        return online.load(self._driver, dataset, progress or Silent(), fingerprint=fingerprint)

    def load_state(self) -> LoadState | None:
        """What the last load was and whether it is complete; None before the first."""
        marker = schema.read_marker(self._driver, online.LOAD_ID)
        if marker is None:
            return None
        return LoadState(str(marker["source"]), str(marker["state"]), str(marker["fingerprint"]))

    def is_loaded(self, dataset: Dataset) -> bool:
        """Whether exactly this data set was the last one loaded, and its load is complete."""
        return self.load_state() == LoadState(dataset.name, "complete", columns.fingerprint(dataset))

    def mark_load(self, dataset: Dataset, state: str) -> None:
        """Notes that a load of the data set is "loading" or "complete"."""
        online.mark_load(self._driver, dataset.name, state, columns.fingerprint(dataset))

    def apply(self, records: Sequence[tuple[int, Record]], partition: str = "0", *, fence: int | None = None) -> int:
        """Writes records of the log and the last one's offset in one transaction; twice equals once.

        fence: of the turn that `take_turn` gave; None where no other writer can be.
        Returns: how many relations or entities were left out, their type not being declared.
        Raises: GraphRefused in a graph without a declaration; RecordRefused or BatchTooLarge, and nothing is written;
            WriterReplaced when the turn is over.
        """
        declaration = self.declaration()
        if declaration is None:
            raise GraphRefused("the graph declares nothing yet; load a data set first (`clew ingest`)")
        if not records:
            return 0
        place = Place.at(partition, *max(records, key=itemgetter(0)))
        return apply.apply(self._driver, declaration, records, place, fence=fence)

    def pass_over(self, offset: int, record: Record, partition: str = "0", *, fence: int | None = None) -> None:
        """Counts a record as written without writing it. Raises: WriterReplaced."""
        apply.apply(self._driver, Declaration(name=""), [], Place.at(partition, offset, record), fence=fence)

    def user_ids(self, after: str, limit: int) -> list[str]:
        """The ids of users, in order, above `after`."""
        ((nodes,),) = self.values("read/snapshot_users", {"after": after, "properties": [], "limit": limit})
        return [cast(str, node[0]) for node in cast("list[list[object]]", nodes)]

    def expel_users(self, user_ids: Collection[str], partition: str = "0", *, fence: int | None = None) -> None:
        """Takes users out who were erased before; no record says so any more. Raises: WriterReplaced, GraphRefused."""
        declaration = self.declaration() or Declaration(name="")
        apply.expel(self._driver, declaration, user_ids, partition, fence)

    def writer_offset(self, partition: str = "0") -> int:
        """The offset of the last record in the graph, 0 for none."""
        return self.writer_place(partition).offset

    def writer_place(self, partition: str = "0") -> Place:
        """The last record in the graph: its offset, 0 for none, and the digest of what it says."""
        return turns.read_place(self._driver, partition)

    def take_turn(self, holder: str, partition: str = "0", *, stalled: Turn | None = None) -> Turn:
        """Makes the holder the partition's writer, where nobody is, it was before, or a turn is stalled right there.

        Its `fence` goes with every write. holder: tells writers apart, and is told to people.
        """
        return turns.take(self._driver, partition, holder, stalled)

    def leave_turn(self, fence: int, partition: str = "0") -> None:
        """Ends the turn, so that another writer may take it at once."""
        turns.leave(self._driver, partition, fence)

    def rewind_writer(self, fence: int, partition: str = "0") -> None:
        """Has all of the log be written again; what is there stays as it is. Raises: WriterReplaced."""
        turns.rewind(self._driver, partition, fence)

    def pass_gap(self, offset: int, partition: str = "0", *, fence: int | None = None) -> None:
        """Counts all up to an offset as written: the log has nothing more there. Raises: WriterReplaced."""
        apply.apply(self._driver, Declaration(name=""), [], Place(partition, offset, GAP), fence=fence)

    def writer_paused(self, partition: str = "0") -> AbstractContextManager[int]:
        """Keeps the writer waiting until the end of the block, and gives its offset: the log goes on taking records."""
        return turns.writer_paused(self._driver, partition)

    def write_embeddings(
        self,
        version: str,
        item_ids: Sequence[str],
        item_vectors: NDArray[np.float32],
        entity_ids: Sequence[str],
        entity_vectors: NDArray[np.float32],
        metrics: Mapping[str, object],
        progress: Progress | None = None,
    ) -> None:
        """Vectors of a model, (len(ids), embedding_dim) each, with their indexes and the model's own node.

        Vectors of other versions go, so that every one in the graph is of this version.
        """
        sides = {"Item": (item_ids, item_vectors), "Entity": (entity_ids, entity_vectors)}
        vectors.write_embeddings(self._driver, version, sides, metrics, progress or Silent())

    def graph_version(self) -> str:
        """Sixteen hexadecimal digits that change with every write, by whomever, and with every new database."""
        newest = self._driver.newest_transaction()
        (row,) = self.rows("read/store_id", {}, timeout_s=READ_S)
        return sha256(f"{newest} {row['id']} {row['created']}".encode()).hexdigest()[:16]


def _version(text: str) -> tuple[int, ...]:
    """(2026, 8, 1) of "2026.08.1"; () of anything else."""
    parts = text.split("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
