"""The triples of a file that a mapping asks for, as columns.

N-Triples are read line by line, so that a file may be larger than memory allows for a graph; the other forms are read
whole by rdflib. Blank nodes are named by what is said of them (eight levels deep), because their labels are only a
file's own: the same file gives the same ids each time, and two blank nodes of which the same is said are one.
"""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import polars as pl

from domain.errors import InvalidSource, MissingExtra
from domain.records import Rejected
from ingest.rdf_mapping import PREFIXES, same_schema
from ingest.report import RejectedLog

FORMATS = {
    ".nt": "nt",
    ".ntriples": "nt",
    ".ttl": "turtle",
    ".jsonld": "json-ld",
    ".json": "json-ld",
    ".rdf": "xml",
    ".xml": "xml",
    ".owl": "xml",
}
TYPE = PREFIXES["rdf"] + "type"
BASE = "http://clew.invalid/"  # of relative IRIs in a file that names no base
LEVELS = 8
_SCHEMA_CONTEXTS = ("https://schema.org", "http://schema.org", "https://schema.org/", "http://schema.org/")


@dataclass
class Triples:
    """line: of the triple in an N-Triples file, else None. language: None for nodes, "" for text without one."""

    classes: set[str]
    predicates: set[str]
    _columns: dict[str, tuple[list[str], list[str], list[str | None], list[int | None]]] = field(init=False)
    _blank: dict[str, list[tuple[str, str]]] = field(default_factory=dict[str, list[tuple[str, str]]])
    _known: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self._columns = {name: ([], [], [], []) for name in (*self.predicates, TYPE)}

    def add(self, subject: str, predicate: str, value: str, language: str | None, line: int | None) -> None:
        """One triple. Blank nodes begin with "_:"."""
        predicate = same_schema(predicate)
        if subject.startswith("_:"):
            said = value if language is None else f'"{value}"@{language}'
            self._blank.setdefault(subject, []).append((predicate, said))
        if predicate == TYPE:
            value = same_schema(value)
            if value not in self.classes:
                return
        elif predicate not in self.predicates:
            return
        subjects, values, languages, lines = self._columns[predicate]
        subjects.append(self._known.setdefault(subject, subject))
        values.append(self._known.setdefault(value, value))
        languages.append(language)
        lines.append(line)

    def frame(self, predicate: str) -> pl.DataFrame:
        """subject, value, language, line of a predicate's triples: in the order of the lines, else sorted."""
        subjects, values, languages, lines = self._columns[predicate]
        columns = {"subject": subjects, "value": values, "language": languages, "line": lines}
        schema = {"subject": pl.String, "value": pl.String, "language": pl.String, "line": pl.UInt32}
        frame = pl.DataFrame(columns, schema=schema)
        return frame.sort("line", "subject", "value", "language", maintain_order=True)

    def name_blank_nodes(self) -> None:
        """Gives every blank node the hash of what is said of it."""
        names = {
            label: _digest(f"{p} {o}" for p, o in said if not o.startswith("_:")) for label, said in self._blank.items()
        }
        nested = {label: said for label, said in self._blank.items() if any(o.startswith("_:") for _, o in said)}
        for _ in range(LEVELS if nested else 0):
            deeper = {
                label: _digest(f"{p} {names.get(o, o) if o.startswith('_:') else o}" for p, o in said)
                for label, said in nested.items()
            }
            names |= deeper
        for subjects, values, languages, _lines in self._columns.values():
            subjects[:] = [names.get(each, each) for each in subjects]
            values[:] = [
                names.get(each, each) if language is None else each
                for each, language in zip(values, languages, strict=True)
            ]
        self._blank.clear()
        self._known.clear()


def read_triples(path: Path, triples: Triples, rejected: RejectedLog, advance: Callable[[int], None]) -> None:
    """Fills `triples` from a file. Lines of N-Triples that are none are rejected one by one.

    Raises: InvalidSource when the file is missing or unreadable, of no known form, or names a JSON-LD context that
    would have to be fetched.
    """
    form = FORMATS.get(path.suffix.lower())
    if form is None:
        raise InvalidSource(f"{path.name}: the ending says no form of RDF; use {', '.join(FORMATS)}", field=path.name)
    if find_spec("rdflib") is None:
        raise MissingExtra("reading RDF needs rdflib: pip install 'clew[analyst]'")
    if not path.is_file():
        raise InvalidSource(f"no file {path}; check the path", field=path.name)
    if form == "nt":
        _read_lines(path, triples, rejected, advance)
    else:
        _read_whole(path, form, triples, advance)
    triples.name_blank_nodes()


def _read_lines(path: Path, triples: Triples, rejected: RejectedLog, advance: Callable[[int], None]) -> None:
    from rdflib.exceptions import ParserError
    from rdflib.plugins.parsers.ntriples import W3CNTriplesParser

    line = 0

    class Sink:
        """What the parser calls for each triple."""

        def triple(self, subject: Any, predicate: Any, value: Any) -> None:
            triples.add(*_plain(subject, predicate, value), line)

    parser = W3CNTriplesParser(sink=cast(Any, Sink()))
    labels: dict[str, Any] = {}
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            try:
                parser.line = raw.decode("utf-8").strip("\r\n")
                parser.parseline(labels)
            except (ParserError, ValueError) as error:
                reason = f"no triple: {str(error).splitlines()[0][:200]}"
                rejected.add(Rejected(source=path.name, line=line, field="", reason=reason))
            if line % 10_000 == 0:
                advance(10_000)


def _read_whole(path: Path, form: str, triples: Triples, advance: Callable[[int], None]) -> None:
    import rdflib

    graph = rdflib.Graph()
    try:
        data = path.read_bytes()
        if form == "json-ld":
            data = _without_remote_contexts(path, data)
        graph.parse(io.BytesIO(data), format=form, publicID=BASE)
    except OSError as error:
        raise InvalidSource(f"cannot read {path}: {error.strerror}", field=path.name) from error
    except InvalidSource:
        raise
    except Exception as error:  # each parser of rdflib has errors of its own, down to the standard library's
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise InvalidSource(f"{path.name} is not {form}: {first[:300]}", field=path.name) from error
    for count, (subject, predicate, value) in enumerate(graph, start=1):
        triples.add(*_plain(subject, predicate, value), None)
        if count % 10_000 == 0:
            advance(10_000)


def _plain(subject: Any, predicate: Any, value: Any) -> tuple[str, str, str, str | None]:
    """Subject, predicate, value, language of the value (None: it is a node)."""
    from rdflib import BNode, Literal

    named = f"_:{subject}" if isinstance(subject, BNode) else str(subject)
    if isinstance(value, Literal):
        return named, str(predicate), str(value), (value.language or "").lower()
    return named, str(predicate), f"_:{value}" if isinstance(value, BNode) else str(value), None


def _without_remote_contexts(path: Path, data: bytes) -> bytes:
    """The document with schema.org's context put in. Raises: InvalidSource for another one that is elsewhere."""

    def inlined(context: object) -> object:
        if isinstance(context, list):
            return [inlined(each) for each in cast(list[object], context)]
        if isinstance(context, str):
            if context in _SCHEMA_CONTEXTS:
                return {"@vocab": "https://schema.org/"}
            message = f"{path.name}: the context {context} is elsewhere, and nothing is fetched; write it into the file"
            raise InvalidSource(message, field="@context")
        return walked(context)

    def walked(value: object) -> object:
        if isinstance(value, list):
            return [walked(each) for each in cast(list[object], value)]
        if isinstance(value, dict):
            pairs = cast(dict[str, object], value).items()
            return {key: inlined(each) if key == "@context" else walked(each) for key, each in pairs}
        return value

    return json.dumps(walked(json.loads(data))).encode()


def _digest(parts: Iterable[str]) -> str:
    return "_:" + blake2b("\n".join(sorted(parts)).encode(), digest_size=12).hexdigest()
