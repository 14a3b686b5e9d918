"""The graph as RDF with schema.org's terms, and the mapping by which `clew ingest rdf` reads it again.

Nodes are IRIs urn:clew:item:ID, urn:clew:user:ID and urn:clew:entity:LABEL:KEY, percent-encoded. What schema.org has
no word for is urn:clew:class:…, urn:clew:relation:… or urn:clew:property:…. Users and what they did are people's data:
they are written only when asked for. Weights of relations and ids of events have no place in plain triples.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from domain.declarations import Declaration, RelationType
from domain.errors import InvalidRequest, MissingExtra
from domain.snapshot import Relations, Snapshot
from graph.columns import as_datetime
from graph.rdf_terms import ENTITY_CLASS, EVENTS, ITEM_CLASS, RELATIONS, SCHEMA, USER_CLASS

OWN = "urn:clew:"
FORMATS = {".nt": "nt", ".ttl": "turtle", ".jsonld": "json-ld", ".rdf": "xml", ".xml": "xml"}
Triple = tuple[Any, Any, Any]
Table = tuple[str, Mapping[str, object]]  # header and keys of a table in TOML


def export_rdf(
    snapshot: Snapshot, path: Path, advance: Callable[[int], None], *, form: str | None = None, people: bool = False
) -> tuple[int, Path]:
    """Writes the graph to a file and its mapping beside it (films.toml for films.nt). Files that are there go.

    form: one of FORMATS' values; None: by the ending. people: also users, their relations and their events.
    N-Triples are written as they come; the others are held in memory first.
    Returns: how many triples, and where the mapping is. Raises: InvalidRequest for an unknown form.
    """
    form = form or FORMATS.get(path.suffix.lower(), "")
    if form not in FORMATS.values():
        raise InvalidRequest(
            f"no form of RDF for {path.name}; there are: {', '.join(FORMATS.values())}", field="format"
        )
    if find_spec("rdflib") is None:
        raise MissingExtra("writing RDF needs rdflib: pip install 'clew[analyst]'")
    triples = _counted(_triples(snapshot, people=people), advance)
    temporary = path.with_name(path.name + ".part")
    count = _write_lines(temporary, triples) if form == "nt" else _write_whole(temporary, triples, form)
    temporary.replace(path)
    mapping = path.with_suffix(".toml")
    mapping.write_text(_mapping(snapshot, people=people), encoding="utf-8")
    return count, mapping


def _write_lines(path: Path, triples: Iterator[Triple]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for triple in triples:
            file.write(" ".join(term.n3() for term in triple) + " .\n")
            count += 1
    return count


def _write_whole(path: Path, triples: Iterator[Triple], form: str) -> int:
    import rdflib

    graph = rdflib.Graph()
    graph.bind("schema", SCHEMA, override=True, replace=True)
    for triple in triples:
        graph.add(triple)
    graph.serialize(path, format=form, encoding="utf-8")
    return len(graph)


def _counted(triples: Iterator[Triple], advance: Callable[[int], None]) -> Iterator[Triple]:
    for count, triple in enumerate(triples, start=1):
        if count % 10_000 == 0:
            advance(10_000)
        yield triple


def _triples(snapshot: Snapshot, *, people: bool) -> Iterator[Triple]:
    parts = [_items(snapshot), _entities(snapshot)]
    parts += [_relations(snapshot, each) for each in _kept(snapshot, people=people)]
    if people:
        parts += [_users(snapshot), _events(snapshot)]
    return chain.from_iterable(parts)


def _kept(snapshot: Snapshot, *, people: bool) -> list[Relations]:
    return [each for each in snapshot.relations if each.type != "PREFERS" and (people or "user" not in _ends(each))]


def _ends(relation: Relations) -> tuple[str, str]:
    return relation.head_kind, relation.tail_kind


def _items(snapshot: Snapshot) -> Iterator[Triple]:
    from rdflib import RDF, XSD, Literal, URIRef

    columns = zip(snapshot.item_ids, snapshot.item_names, snapshot.item_kinds, snapshot.item_available, strict=True)
    stock = {True: _schema("InStock"), False: _schema("OutOfStock")}
    for row, (item_id, name, kind, available) in enumerate(columns):
        item = URIRef(_iri("item", item_id))
        yield item, RDF.type, _schema(ITEM_CLASS)
        yield item, _schema("name"), Literal(name)
        yield item, _schema("additionalType"), Literal(kind)
        yield item, _schema("availability"), stock[bool(available)]
        created = int(snapshot.item_created_at[row])
        if created != -1:
            yield item, _schema("dateCreated"), Literal(as_datetime(created).isoformat(), datatype=XSD.dateTime)
        for property_name, values in snapshot.item_properties.items():
            yield from _property(item, property_name, values[row])


def _users(snapshot: Snapshot) -> Iterator[Triple]:
    from rdflib import RDF, URIRef

    for row, user_id in enumerate(snapshot.user_ids):
        user = URIRef(_iri("user", user_id))
        yield user, RDF.type, _schema(USER_CLASS)
        for property_name, values in snapshot.user_properties.items():
            yield from _property(user, property_name, values[row])


def _entities(snapshot: Snapshot) -> Iterator[Triple]:
    from rdflib import RDF, Literal, URIRef

    labels = [kind.label for kind in snapshot.declaration.entity_types]
    for entity_id, name, code in zip(
        snapshot.entity_ids, snapshot.entity_names, snapshot.entity_types.tolist(), strict=True
    ):
        entity = URIRef(_iri("entity", entity_id))
        yield entity, RDF.type, _schema(ENTITY_CLASS)
        yield entity, RDF.type, URIRef(f"{OWN}class:{labels[code]}")
        if name is not None:
            yield entity, _schema("name"), Literal(name)


def _relations(snapshot: Snapshot, relation: Relations) -> Iterator[Triple]:
    from rdflib import URIRef

    ids = {"user": snapshot.user_ids, "item": snapshot.item_ids, "entity": snapshot.entity_ids}
    predicate = URIRef(_predicate(relation.type))
    heads, tails = ids[relation.head_kind], ids[relation.tail_kind]
    for head, tail in zip(relation.heads.tolist(), relation.tails.tolist(), strict=True):
        yield (
            URIRef(_iri(relation.head_kind, heads[head])),
            predicate,
            URIRef(_iri(relation.tail_kind, tails[tail])),
        )


def _events(snapshot: Snapshot) -> Iterator[Triple]:
    from rdflib import RDF, XSD, BNode, Literal, URIRef

    events = snapshot.interactions
    classes = [URIRef(_event_class(kind.name)) for kind in snapshot.declaration.event_kinds]
    columns = (events.user_rows, events.item_rows, events.kinds, events.values, events.at)
    for row, (user, item, kind, value, at) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
        event = BNode(f"e{row}")
        yield event, RDF.type, classes[kind]
        yield event, _schema("agent"), URIRef(_iri("user", snapshot.user_ids[user]))
        yield event, _schema("object"), URIRef(_iri("item", snapshot.item_ids[item]))
        yield event, _schema("endTime"), Literal(as_datetime(at).isoformat(), datatype=XSD.dateTime)
        if value == value:
            yield event, _schema("value"), Literal(value)


def _property(node: Any, name: str, value: object) -> Iterator[Triple]:
    """One triple; one for each value of a list, none for null."""
    from rdflib import Literal, URIRef

    for each in value if isinstance(value, list) else [] if value is None else [value]:
        yield node, URIRef(f"{OWN}property:{name}"), Literal(each)


def _iri(kind: str, node_id: object) -> str:
    return f"{OWN}{kind}:{quote(str(node_id), safe=':')}"


def _schema(name: str) -> Any:
    from rdflib import URIRef

    return URIRef(SCHEMA + name)


def _predicate(type_name: str) -> str:
    return SCHEMA + RELATIONS[type_name] if type_name in RELATIONS else f"{OWN}relation:{type_name}"


def _event_class(kind: str) -> str:
    return SCHEMA + EVENTS[kind] if kind in EVENTS else f"{OWN}class:{kind}"


def _mapping(snapshot: Snapshot, *, people: bool) -> str:
    """The TOML text by which `clew ingest rdf` reads the file."""
    declaration = snapshot.declaration
    tables: list[Table] = [("[source]", {"name": declaration.name})]
    item = {"class": f"schema:{ITEM_CLASS}", "base": f"{OWN}item:", "name": "schema:name"}
    item = item | {"kind_predicate": "schema:additionalType", "available": "schema:availability"}
    tables.append(("[[items]]", {**item, "created_at": "schema:dateCreated"}))
    tables += _properties("items", snapshot, declaration)
    if people:
        tables.append(("[[users]]", {"class": f"schema:{USER_CLASS}", "base": f"{OWN}user:"}))
        tables += _properties("users", snapshot, declaration)
    for kind in declaration.entity_types:
        base = f"{OWN}entity:{kind.label}:"
        table = {"class": f"{OWN}class:{kind.label}", "base": base, "label": kind.label, "name": "schema:name"}
        tables.append(("[[entities]]", table))
        texts = {"noun": kind.noun, "description": kind.description, "sensitive": kind.sensitive}
        tables.append((f"[entity_types.{kind.label}]", texts))
    declared = {kind.type: kind for kind in declaration.relation_types}
    for relation in _kept(snapshot, people=people):
        tables += _relation_tables(relation, declared.get(relation.type))
    if people:
        for kind in declaration.event_kinds:
            tables.append(
                ("[[events]]", {"class": _event_class(kind.name), "kind": kind.name, "value": "schema:value"})
            )
    for kind in declaration.event_kinds:
        texts = {name: value for name, value in msgspec.structs.asdict(kind).items() if name != "name"}
        tables.append((f"[event_kinds.{kind.name}]", texts))
    return "\n".join(_table(header, values) for header, values in tables)


def _relation_tables(relation: Relations, kind: RelationType | None) -> list[Table]:
    head, tail = (kind.head, kind.tail) if kind else ("User", "User")  # only FOLLOWS is not declared
    table = {"predicate": _predicate(relation.type), "type": relation.type, "head": head, "tail": tail}
    tables: list[Table] = [("[[relations]]", table)]
    if kind:
        texts = {"same": kind.same, "phrase": kind.phrase, "description": kind.description}
        tables.append((f"[relation_types.{kind.type}]", {**texts, "sensitive": kind.sensitive}))
    return tables


def _properties(owner: str, snapshot: Snapshot, declaration: Declaration) -> list[Table]:
    columns = snapshot.item_properties if owner == "items" else snapshot.user_properties
    declared = declaration.item_properties if owner == "items" else declaration.user_properties
    tables: list[Table] = []
    for kind in declared:
        values = [value for value in columns.get(kind.name, ()) if value is not None]
        described = {"description": kind.description, "sensitive": kind.sensitive, "type": _type_of(values)}
        table = {"predicate": f"{OWN}property:{kind.name}", "name": kind.name, **described}
        tables.append((f"[[{owner}.properties]]", table))
    return tables


def _type_of(values: list[object]) -> str:
    if any(isinstance(value, list) for value in values):
        return "list"
    if values and all(isinstance(value, bool) for value in values):
        return "flag"
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return "number" if values and numbers else "text"


def _table(header: str, values: Mapping[str, object]) -> str:
    """A table of TOML: JSON writes texts, numbers, flags and lists of them as TOML does."""
    lines = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in values.items()]
    return "\n".join([header, *lines, ""])
