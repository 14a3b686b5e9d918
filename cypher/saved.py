"""The queries of analysts: the statements of cypher/analyst/, with their titles and parameters."""

import re
from dataclasses import dataclass

from cypher import names, source, statement
from domain.errors import InvalidRequest

_PARAMETER = re.compile(r"\$([a-z_]+) (STRING|INTEGER|FLOAT)\b")


@dataclass(frozen=True)
class SavedQuery:
    """name: of the file. parameters: name -> STRING, INTEGER or FLOAT."""

    name: str
    title: str
    parameters: dict[str, str]

    @property
    def text(self) -> str:
        return statement(f"analyst/{self.name}")

    def values(self, given: dict[str, str]) -> dict[str, object]:
        """What the query takes, of its types. Raises: InvalidRequest for one that is missing, unknown or no number."""
        for name in sorted(given.keys() ^ self.parameters.keys()):
            wrong = "needs" if name in self.parameters else "has no"
            takes = ", ".join(self.parameters) or "none"
            raise InvalidRequest(f"the query {self.name} {wrong} parameter {name}; it takes: {takes}", field=name)
        return {name: _typed(name, self.parameters[name], value) for name, value in given.items()}


def saved_queries() -> list[SavedQuery]:
    """All of them, by name."""
    return [_read(name) for name in names() if name.startswith("analyst/")]


def saved_query(name: str) -> SavedQuery:
    """Raises: InvalidRequest for an unknown name."""
    found = {query.name: query for query in saved_queries()}
    if name not in found:
        raise InvalidRequest(f"no saved query {name!r}; there are: {', '.join(found)}", field="name")
    return found[name]


def _read(name: str) -> SavedQuery:
    header = [line.removeprefix("//").strip() for line in source(name).splitlines() if line.startswith("//")]
    return SavedQuery(name.partition("/")[2], header[0], dict(_PARAMETER.findall("\n".join(header))))


def _typed(name: str, kind: str, value: str) -> object:
    try:
        return {"STRING": str, "INTEGER": int, "FLOAT": float}[kind](value)
    except ValueError as error:
        raise InvalidRequest(f"{name} must be {kind}, not {value!r}", field=name) from error
