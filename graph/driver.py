"""Neo4j over Bolt: transactions in, plain Python values and Clew's errors out."""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import LiteralString, cast

import neo4j
from neo4j import GraphDatabase, ManagedTransaction, Query, unit_of_work
from neo4j.exceptions import (
    AuthError,
    ConfigurationError,
    DatabaseUnavailable,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    UnsupportedServerProduct,
)
from neo4j.graph import Node, Relationship
from neo4j.time import Date, DateTime, Duration, Time

from domain.errors import (
    BatchTooLarge,
    ClewError,
    GraphRefused,
    GraphUnavailable,
    RecordRefused,
    UnsupportedServer,
)

DATABASE = "neo4j"
_ADDRESS = re.compile(r"(bolt|neo4j)(\+s|\+ssc)?://")
CONNECT_TIMEOUT_S = 5.0
WRITE_TIMEOUT_S = 600.0
REFUSED = ("Neo.ClientError.Statement.", "Neo.ClientError.Schema.", "Neo.DatabaseError.Statement.")  # what was sent
RETRY_S = 5.0  # a transaction that lost its connection or met a deadlock is run again for so long
LIVENESS_S = 30.0  # a connection idle for longer is tried before it is used: the server may have been restarted

Parameters = Mapping[str, object]
Row = dict[str, object]
Write = Callable[["Transaction"], None]


class Transaction:
    """An open write transaction."""

    def __init__(self, inner: ManagedTransaction | neo4j.Transaction) -> None:
        self._inner = inner

    def run(self, text: str, parameters: Parameters) -> list[Row]:
        """Runs one statement and gives all its rows."""
        return [_plain_row(record) for record in self._inner.run(_literal(text), dict(parameters))]


class Driver:
    """One driver per process, thread-safe, closed explicitly.

    Raises (any method): GraphUnavailable when the server does not answer; GraphRefused when it answers with an error.
    """

    def __init__(self, uri: str, username: str, password: str) -> None:
        self.uri = uri
        if not _ADDRESS.match(uri):  # the driver would also take http addresses, and answer otherwise there
            raise GraphRefused(f"{uri!r} is no address of a Neo4j server, as bolt://host:7687 is; check NEO4J_URI")
        try:
            self._driver = GraphDatabase.driver(
                uri,
                auth=(username, password),
                connection_timeout=CONNECT_TIMEOUT_S,
                max_transaction_retry_time=RETRY_S,
                liveness_check_timeout=LIVENESS_S,
                notifications_min_severity="OFF",
                user_agent="clew",
            )
        except (ConfigurationError, ValueError) as error:
            raise GraphRefused(f"{uri!r} is no address of a Neo4j server ({error}); check NEO4J_URI") from error

    def close(self) -> None:
        self._driver.close()

    def agent(self) -> str:
        """What the server calls itself, as in "Neo4j/2026.08.1"."""
        with self._errors():
            return self._driver.get_server_info().agent

    def rows(self, text: str, parameters: Parameters, *, timeout_s: float) -> list[Row]:
        """All rows of a statement that reads, in one transaction that the server ends after timeout_s."""
        return [_plain_row(record) for record in self.records(text, parameters, timeout_s=timeout_s)]

    def records(self, text: str, parameters: Parameters, *, timeout_s: float) -> list[neo4j.Record]:
        """As `rows`, without turning the driver's values into plain ones: for big reads of numbers and text."""
        with self._errors():
            try:
                return self._read(text, parameters, timeout_s)
            except (ServiceUnavailable, SessionExpired):  # a connection from before a restart of the server
                return self._read(text, parameters, timeout_s)

    def run(self, text: str, parameters: Parameters) -> list[Row]:
        """One statement that writes, or changes the schema, in a transaction of its own."""
        found: list[Row] = []

        def work(transaction: Transaction) -> None:
            found[:] = transaction.run(text, parameters)

        self.write(work)
        return found

    def write(self, work: Write) -> None:
        """Runs `work` in one transaction; once more when the server asks for it, so it must bear that."""

        @unit_of_work(timeout=WRITE_TIMEOUT_S)
        def inner(transaction: ManagedTransaction) -> None:
            work(Transaction(transaction))

        with self._errors(), self._driver.session(database=DATABASE) as session:
            session.execute_write(inner)

    @contextmanager
    def held(self) -> Generator[Transaction]:
        """A transaction that stays open, with its locks, until the end of the block, and is then rolled back."""
        with self._errors(), self._driver.session(database=DATABASE) as session:
            transaction = session.begin_transaction(timeout=WRITE_TIMEOUT_S)
            try:
                yield Transaction(transaction)
            finally:
                transaction.close()

    @contextmanager
    def reading(self, *, timeout_s: float, fetch_size: int) -> Generator[neo4j.Transaction]:
        """A transaction that may only read, which the server ends after timeout_s; rolled back at the end."""
        session = self._driver.session(database=DATABASE, default_access_mode=neo4j.READ_ACCESS, fetch_size=fetch_size)
        with self._errors(), session, session.begin_transaction(timeout=timeout_s) as transaction:
            yield transaction

    def newest_transaction(self) -> str:
        """The server's mark of its newest committed transaction; another one after every write, by whomever."""
        with self._errors(), self._driver.session(database=DATABASE, default_access_mode=neo4j.READ_ACCESS) as session:
            session.run("RETURN 1").consume()
            return ",".join(sorted(session.last_bookmarks().raw_values))

    def _read(self, text: str, parameters: Parameters, timeout_s: float) -> list[neo4j.Record]:
        query = Query(_literal(text), timeout=timeout_s)
        with self._driver.session(database=DATABASE, default_access_mode=neo4j.READ_ACCESS) as session:
            return list(session.run(query, dict(parameters)))

    @contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except (DriverError, Neo4jError, OverflowError, UnicodeEncodeError, OSError) as error:
            raise _translated(error, self.uri) from error


def plain(value: object) -> object:
    """A value of the driver as Python's own: times as aware datetimes, nodes and relationships as their properties."""
    if isinstance(value, DateTime | Date | Time):
        return value.to_native()
    if isinstance(value, Duration):
        return value.iso_format()
    if isinstance(value, Node | Relationship):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in cast(list[object], value)]
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in cast(dict[str, object], value).items()}
    return value


def _plain_row(record: neo4j.Record) -> Row:
    return {name: plain(value) for name, value in record.items()}


def _literal(text: str) -> LiteralString:
    return cast(LiteralString, text)  # every text comes from a .cypher file, its slots checked


def _translated(error: Exception, uri: str) -> ClewError:
    if isinstance(error, AuthError):
        return GraphRefused(f"Neo4j at {uri} refuses the user name or the password; check NEO4J_USERNAME and PASSWORD")
    if isinstance(error, UnsupportedServerProduct):
        return UnsupportedServer(f"the server at {uri} is no Neo4j that this version of Clew can talk to: {error}")
    if isinstance(error, Neo4jError) and not isinstance(error, DatabaseUnavailable):
        return _refusal(error)(f"Neo4j at {uri} refused: {error.message}")
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return RecordRefused(f"a number or a text cannot be sent to Neo4j: {error}")
    return GraphUnavailable(f"Neo4j at {uri} does not answer; run `clew up`, or check NEO4J_URI ({error})")


def _refusal(error: Neo4jError) -> type[GraphRefused]:
    code = error.code or ""
    if "OutOfMemory" in code:
        return BatchTooLarge
    return RecordRefused if code.startswith(REFUSED) else GraphRefused
