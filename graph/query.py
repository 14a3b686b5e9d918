"""An analyst's own Cypher, read-only and within limits.

Neo4j Community has no roles, so what a query may do is checked three times: its text (graph.query_text), its plan
(EXPLAIN: it only reads, from this graph alone, with known procedures) and by running it in a transaction that may
only read, which the server ends after a time.
"""

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, LiteralString, cast

import neo4j
from neo4j.exceptions import BrokenRecordError, Neo4jError

from domain.errors import ClewError, InvalidQuery, Position, QueryRefused, QueryTooCostly
from domain.graph_answers import GraphAnswer
from graph.driver import DATABASE, Driver
from graph.query_text import check_text, position_at
from graph.values import as_json

MAX_ROWS = 10_000
MAX_TIMEOUT_S = 60.0
MAX_VALUES = 2_000_000  # numbers, texts and properties in one answer
PAGE = 1_000
PROCEDURES = frozenset(
    {
        "db.index.fulltext.queryNodes",
        "db.index.fulltext.queryRelationships",
        "db.index.vector.queryNodes",
        "db.index.vector.queryRelationships",
        "db.labels",
        "db.propertyKeys",
        "db.relationshipTypes",
        "db.schema.nodeTypeProperties",
        "db.schema.relTypeProperties",
        "db.schema.visualization",
    }
)
_EXPLAIN = "CYPHER 25 EXPLAIN\n"
_RUN = "CYPHER 25".ljust(len(_EXPLAIN) - 1) + "\n"  # of one length, so that positions need one subtraction
_REFUSED = {
    "LoadCSV": "LOAD CSV reads files",
    "Show": "SHOW tells of the server, not of the graph",
    "Terminate": "TERMINATE ends other people's queries",
    "TransactionApply": "CALL … IN TRANSACTIONS is for writing",
    "TransactionForeach": "CALL … IN TRANSACTIONS is for writing",
}
_PLACE = re.compile(r" \(line (?P<line>\d+), column \d+ \(offset: (?P<offset>\d+)\)\)")
_TOO_COSTLY = re.compile(r"TransactionTimedOut|Transaction\.Terminated|OutOfMemory|MemoryPool|TransactionMemoryLimit")
_THEIRS = re.compile(r"Neo\.(ClientError\.(?!Security|Database\.DatabaseNotFound)|DatabaseError\.Statement\.)")


def run_query(
    driver: Driver, text: str, parameters: Mapping[str, object], *, limit: int, timeout_s: float
) -> GraphAnswer:
    """The first `limit` rows of a query that only reads.

    limit: 1 to MAX_ROWS; timeout_s: up to MAX_TIMEOUT_S.
    Raises: InvalidQuery (with the position where the server says it), QueryRefused, QueryTooCostly;
        GraphUnavailable, GraphRefused.
    """
    check_text(text)
    started = time.perf_counter()
    with driver.reading(timeout_s=timeout_s, fetch_size=min(limit + 1, PAGE)) as transaction:
        try:
            _check_plan(transaction.run(_literal(_EXPLAIN + text), dict(parameters)).consume())
            columns, rows, truncated = _rows(transaction.run(_literal(_RUN + text), dict(parameters)), limit)
        except Neo4jError as error:
            raise _translated(error, text) or error from error
        except OverflowError as error:
            raise InvalidQuery(f"a parameter is a number that does not fit in 64 bits: {error}") from error
        except UnicodeEncodeError as error:
            raise InvalidQuery(f"a text holds half a surrogate pair: {error}") from error
        except BrokenRecordError as error:
            raise InvalidQuery(
                f"the answer holds a value that cannot be shown, such as a date before 1: {error}"
            ) from error
        except RecursionError as error:
            raise QueryTooCostly("the answer is nested too deep; return less at once") from error
    return GraphAnswer(
        columns=columns, rows=rows, truncated=truncated, took_ms=round((time.perf_counter() - started) * 1000, 1)
    )


def _check_plan(summary: neo4j.ResultSummary) -> None:
    """Raises: QueryRefused, unless the query only reads, without procedures that are not listed."""
    if summary.plan is None:
        raise QueryRefused("the server gives no plan of this query, so it cannot be checked; ask in another way")
    for operator, database, detail in _operators(summary.plan):
        if database not in ("", DATABASE):
            raise QueryRefused(f"only the graph itself may be asked, not the database {database}; leave USE out")
        why = next((reason for name, reason in _REFUSED.items() if operator.startswith(name)), None)
        if why:
            raise QueryRefused(f"{why}; ask what the graph itself holds")
        procedure = detail.partition("(")[0].strip()
        if operator.startswith("ProcedureCall") and procedure not in PROCEDURES:
            known = ", ".join(sorted(PROCEDURES))
            raise QueryRefused(f"the procedure {procedure} is not allowed; allowed: {known}")
    if summary.query_type != "r":
        raise QueryRefused("this query would change something; here only reading is allowed")


def _operators(plan: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(operator, the database it works on, its details) of a plan and all that is below it."""
    name, _, database = str(plan["operatorType"]).partition("@")
    yield name, database, str(plan["args"].get("Details", ""))
    for child in plan.get("children", []):
        yield from _operators(child)


def _rows(result: neo4j.Result, limit: int) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...], bool]:
    """Columns, rows, and whether there are more. Raises: QueryTooCostly for more than MAX_VALUES values."""
    rows: list[tuple[object, ...]] = []
    values = 0
    for record in result:
        if len(rows) == limit:
            return tuple(result.keys()), tuple(rows), True
        row = tuple(as_json(value) for value in record.values())
        values += _size(row)
        if values > MAX_VALUES:
            raise QueryTooCostly(f"the answer holds more than {MAX_VALUES:,} values; return less at once")
        rows.append(row)
    return tuple(result.keys()), tuple(rows), False


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_size, cast(dict[str, object], value).values()))
    if isinstance(value, list | tuple):
        return 1 + sum(map(_size, cast(list[object], value)))
    return 1


def _translated(error: Neo4jError, text: str) -> ClewError | None:
    """The error as one of the person who asks; None when it is the server's own."""
    code = error.code or ""
    message = (error.message or "").partition(" (line ")[0].split("\n")[0].strip(" .")
    if _TOO_COSTLY.search(code):
        why = "needs more memory than the server gives" if "emory" in code else "ran out of time"
        return QueryTooCostly(f"the query {why}; narrow it, with ids, labels or a LIMIT")
    if "AccessMode" in code:
        return QueryRefused(f"here only reading is allowed: {message}")
    if _THEIRS.match(code):
        return InvalidQuery(message or code, position=_position(error, text))
    return None


def _position(error: Neo4jError, text: str) -> Position | None:
    place = _PLACE.search(error.message or "")
    if place is None or int(place["line"]) < 2:  # not known: the text begins in the second line
        return None
    units = max(int(place["offset"]) - len(_EXPLAIN), 0)  # UTF-16 code units, as Java counts
    return position_at(text, len(text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")))


def _literal(text: str) -> LiteralString:
    return cast(LiteralString, text)  # the one place where a text of a caller's own is run, after the checks above
