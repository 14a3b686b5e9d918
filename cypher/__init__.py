"""Every Cypher statement of Clew, one per file: `statement("read/marker")` is the text of cypher/read/marker.cypher.

A file begins with a header of `//` lines: what the statement is for, its parameters ($name TYPE), its slots, its rows.
A slot `{{name}}` stands for a label, a relationship type or an index, which Cypher cannot take as a parameter; it is
filled only with identifiers. Everything else is a parameter.
"""

import re
from functools import cache
from pathlib import Path

from domain.declarations import IDENTIFIER
from domain.errors import InvalidMapping

FOLDER = Path(__file__).parent
SLOT = re.compile(r"\{\{([a-z_]+)\}\}")
_NAME = re.compile(r"[a-z_]+/[a-z0-9_]+\Z")
_LANGUAGE = "CYPHER 25 "  # a server of someone else's may have an older default


def statement(name: str, **identifiers: str) -> str:
    """The statement, with its slots filled by `identifiers`.

    Raises: KeyError for a name without a file, or when the identifiers are not the slots of the statement;
        InvalidMapping for an identifier that is not [A-Za-z][A-Za-z0-9_]*.
    """
    return _filled(name, tuple(sorted(identifiers.items())))


def names() -> list[str]:
    """The names of all statements, sorted."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("*/*.cypher"))


def source(name: str) -> str:
    """The text of the file, header included. Raises: KeyError for a name without a file."""
    path = FOLDER / f"{name}.cypher"
    if not _NAME.match(name) or not path.is_file():
        raise KeyError(f"there is no Cypher statement {name!r}")
    return path.read_text(encoding="utf-8")


def slots(name: str) -> set[str]:
    """The names of the slots that a statement has."""
    return set(SLOT.findall(_body(name)))


@cache
def _body(name: str) -> str:
    lines = [line for line in source(name).splitlines() if not line.startswith("//")]
    return _LANGUAGE + "\n".join(lines).strip()


@cache
def _filled(name: str, identifiers: tuple[tuple[str, str], ...]) -> str:
    given = dict(identifiers)
    if set(given) != slots(name):
        raise KeyError(f"the statement {name} has the slots {sorted(slots(name))}, not {sorted(given)}")
    for slot, value in given.items():
        if not IDENTIFIER.match(value):
            raise InvalidMapping(f"{value!r} cannot be the {slot} of {name}: letters, digits and _ only", field=slot)
    return SLOT.sub(lambda match: given[match.group(1)], _body(name))
