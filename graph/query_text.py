"""The text of an analyst's query, looked at before the server sees it."""

import re

from domain.errors import InvalidQuery, Position, QueryRefused, QueryTooCostly

MAX_LENGTH = 20_000
MAX_DEPTH = 100  # of brackets: the server's parser is recursive
MAX_OPERATORS = 1_000  # so is its handling of `a OR b OR c`
# Functions of plugins may read files and call other machines; these namespaces are Neo4j's own and do neither.
NAMESPACES = frozenset(
    {"date", "datetime", "duration", "localdatetime", "localtime", "point", "time", "vector", "db", "coll", "string"}
)
_COMMENT = r"(?>//[^\n]*|/\*.*?\*/)"  # atomic: it ends where it ends, whatever follows
_PART = r"(?:`(?:[^`]|``)*`|[^\W\d]\w*)"
_GAP = rf"(?:\s|{_COMMENT})*"
_TOKEN = re.compile(
    rf"""(?P<comment>{_COMMENT})
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<name>{_PART}(?:{_GAP}\.{_GAP}{_PART})*)
      | (?P<open>[(\[{{]) | (?P<close>[)\]}}])
      | (?P<operator>[-+*/%^=<>|!]+)
      | (?P<other>\S)""",
    re.VERBOSE | re.DOTALL,
)
_WORD_OPERATORS = frozenset({"and", "or", "xor", "not", "in", "contains", "union", "case", "with"})


def check_text(text: str) -> None:
    """Raises: QueryTooCostly for a text too long, deep or full of operators; QueryRefused for functions of plugins;
    InvalidQuery for an escape outside a text, which could hide either."""
    if len(text) > MAX_LENGTH:
        raise QueryTooCostly(f"a query may have {MAX_LENGTH:,} characters; this has {len(text):,}")
    depth = operators = 0
    called: re.Match[str] | None = None
    before = ""
    for token in _TOKEN.finditer(text):
        kind, value = token.lastgroup, token.group()
        if kind == "comment":
            continue
        if kind == "open":
            depth += 1
            if value == "(" and called is not None and before != "call":  # procedures are judged by the plan
                _check_call(text, called)
        elif kind == "close":
            depth -= 1
        elif kind == "operator" or (kind == "name" and value.lower() in _WORD_OPERATORS):
            operators += 1
        elif value == "\\":
            raise InvalidQuery("escapes are for texts in quotes only", position=position_at(text, token.start()))
        if depth > MAX_DEPTH or operators > MAX_OPERATORS:
            what = f"{MAX_DEPTH} brackets inside each other" if depth > MAX_DEPTH else f"{MAX_OPERATORS:,} operators"
            message = f"a query may have {what}; give lists of values as parameters"
            raise QueryTooCostly(message, position=position_at(text, token.start()))
        before = called.group().lower() if called else ""
        called = token if kind == "name" else None


def position_at(text: str, offset: int) -> Position:
    """Line and column of a character of the text; the end of the text for what lies beyond it."""
    offset = min(max(offset, 0), len(text))
    before = text[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, offset)


def _check_call(text: str, called: re.Match[str]) -> None:
    """Raises: QueryRefused for a function that is not Neo4j's own."""
    bare = re.sub(_COMMENT, "", called.group(), flags=re.DOTALL)
    parts = [part.strip().strip("`").lower() for part in bare.split(".")]
    if len(parts) > 1 and parts[0] not in NAMESPACES:
        name = ".".join(parts)
        raise QueryRefused(
            f"the function {name} is not allowed; only functions of Cypher itself are",
            position=position_at(text, called.start()),
        )
