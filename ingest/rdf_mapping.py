"""The mapping file (TOML) of RDF: which classes are users, items, entities and events, which predicates relations.

docs/rdf.md has one. Names are prefixed ("schema:Course") or whole IRIs; http and https of schema.org are the same.
"""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from domain.declarations import IDENTIFIER, Declaration
from domain.errors import InvalidMapping
from ingest import mapping as tables
from ingest.mapping import EntityOptions, KindOptions, RelationOptions
from ingest.mapping_declaration import declare, event_kinds
from ingest.mapping_file import OWN_PROPERTIES, readable

PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "schema": "https://schema.org/",
}


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True): ...


class Source(_Part, frozen=True, kw_only=True):
    """languages: of names and texts, the first that a thing has counts; then text without a language, then any.

    time_zone: of times without an offset.
    """

    name: str
    languages: tuple[str, ...] = ("en",)
    time_zone: str = "UTC"


class RdfProperty(_Part, frozen=True, kw_only=True):
    """A predicate that becomes a property; a list takes every value, the other types one."""

    predicate: str
    name: str
    description: str = ""
    sensitive: bool = False
    type: Literal["text", "number", "flag", "list"] = "text"


class _Node(_Part, frozen=True, kw_only=True):
    """base: what is cut off the front of an IRI; the rest, percent-decoded, is the id. Without it the IRI is."""

    class_: str = msgspec.field(name="class")
    base: str = ""


class RdfItems(_Node, frozen=True, kw_only=True):
    """available: a predicate with a flag, or with schema:InStock; kind_predicate: one that names the kind."""

    kind: str = "item"
    kind_predicate: str | None = None
    name: str | None = None
    available: str | None = None
    created_at: str | None = None
    properties: tuple[RdfProperty, ...] = ()


class RdfUsers(_Node, frozen=True, kw_only=True):
    properties: tuple[RdfProperty, ...] = ()


class RdfEntities(_Node, frozen=True, kw_only=True):
    label: str
    name: str | None = None


class RdfRelations(_Part, frozen=True, kw_only=True):
    """head, tail: "User", "Item" or an entity label. inverse: the subject of the triples is the tail.

    A text as object is an entity whose key and name it is.
    """

    predicate: str
    type: str
    tail: str
    head: str = "Item"
    inverse: bool = False


class RdfEvents(_Node, frozen=True, kw_only=True):
    """Nodes that stand for something a user did. user, item, at, value: predicates."""

    kind: str
    user: str = "schema:agent"
    item: str = "schema:object"
    at: str = "schema:endTime"
    value: str | None = None


class RdfMapping(_Part, frozen=True, kw_only=True):
    source: Source
    items: tuple[RdfItems, ...]
    prefixes: dict[str, str] = {}
    users: tuple[RdfUsers, ...] = ()
    entities: tuple[RdfEntities, ...] = ()
    relations: tuple[RdfRelations, ...] = ()
    events: tuple[RdfEvents, ...] = ()
    entity_types: dict[str, EntityOptions] = {}
    relation_types: dict[str, RelationOptions] = {}
    event_kinds: dict[str, KindOptions] = {}

    def iri(self, name: str) -> str:
        """A prefixed name as a whole IRI. Raises: InvalidMapping for a prefix that is not known."""
        prefix, colon, rest = name.partition(":")
        known = PREFIXES | self.prefixes
        if colon and prefix in known:
            return same_schema(known[prefix] + rest)
        if colon and (rest.startswith("//") or prefix in ("urn", "tag")):
            return same_schema(name)
        raise InvalidMapping(f"{name!r} has no known prefix; add it under [prefixes]", field=name)

    @property
    def classes(self) -> set[str]:
        nodes = (*self.items, *self.users, *self.entities, *self.events)
        return {self.iri(node.class_) for node in nodes}

    @property
    def predicates(self) -> set[str]:
        """Every predicate whose triples are wanted."""
        names: list[str | None] = [relation.predicate for relation in self.relations]
        for items in self.items:
            names += [items.name, items.available, items.created_at, items.kind_predicate]
        names += [entities.name for entities in self.entities]
        for nodes in (*self.items, *self.users):
            names += [each.predicate for each in nodes.properties]
        for events in self.events:
            names += [events.user, events.item, events.at, events.value]
        return {self.iri(name) for name in names if name is not None}


def same_schema(iri: str) -> str:
    """schema.org has one address, whichever of its two a file uses."""
    return "https" + iri[4:] if iri.startswith("http://schema.org/") else iri


def read_rdf_mapping(path: Path) -> RdfMapping:
    """Raises: InvalidMapping that names the file, the key and what to do."""
    try:
        mapping = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), RdfMapping)
    except FileNotFoundError as error:
        raise InvalidMapping(f"no mapping file {path}; name one with --mapping", field="mapping") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidMapping(f"cannot read {path} as UTF-8 text: {error}", field="mapping") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidMapping(f"{path.name} is not TOML: {error}", field="mapping") from error
    except msgspec.ValidationError as error:
        raise readable(path, str(error)) from error
    try:
        _check(mapping)
    except InvalidMapping as error:
        raise InvalidMapping(f"{path.name}: {error.message}", field=error.field) from error
    return mapping


def declaration_of(mapping: RdfMapping) -> Declaration:
    """What a graph of this mapping holds."""
    file = mapping.source.name
    columns = {
        id(nodes): tuple(
            tables.Column(column=each.predicate, name=each.name, description=each.description, sensitive=each.sensitive)
            for each in nodes.properties
        )
        for nodes in (*mapping.items, *mapping.users)
    }
    return declare(
        tables.Mapping(
            source=tables.SourceOptions(name=file),
            events=(),
            items=tuple(tables.Items(file=file, id="iri", properties=columns[id(each)]) for each in mapping.items),
            users=tuple(tables.Users(file=file, id="iri", properties=columns[id(each)]) for each in mapping.users),
            entities=tuple(tables.Entities(file=file, id="iri", label=each.label) for each in mapping.entities),
            relations=tuple(
                tables.Relations(
                    file=file, type=each.type, head="s", tail="o", head_label=each.head, tail_label=each.tail
                )
                for each in mapping.relations
            ),
            entity_types=mapping.entity_types,
            relation_types=mapping.relation_types,
            event_kinds=mapping.event_kinds,
        )
    )


def _check(mapping: RdfMapping) -> None:
    """Raises: InvalidMapping for what the types alone cannot say."""
    if not mapping.items:
        raise InvalidMapping("there is no [[items]] table; name at least one class of items", field="items")
    _ = mapping.classes, mapping.predicates  # every prefix is known
    kinds = {kind.name for kind in event_kinds(mapping.event_kinds)}
    for events in mapping.events:
        if events.kind not in kinds:
            known = ", ".join(sorted(kinds))
            raise InvalidMapping(f"[[events]]: no kind {events.kind!r}; there are: {known}", field="kind")
    for nodes in (*mapping.items, *mapping.users):
        for each in nodes.properties:
            if not IDENTIFIER.match(each.name) or each.name in OWN_PROPERTIES:
                problem = "is Clew's own" if each.name in OWN_PROPERTIES else "must be letters, digits and _"
                raise InvalidMapping(f"the property name {each.name!r} {problem}", field="properties")
    declaration_of(mapping).check()
