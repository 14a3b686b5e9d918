"""The mapping file (TOML) of the source `table`: which columns of which files are users, items, events and relations.

docs/examples/shop/mapping.toml is a complete one with a comment per key.
"""

import re
import tomllib
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from domain.declarations import (
    COMMON_EVENT_KINDS,
    IDENTIFIER,
    Declaration,
    EntityType,
    EventKind,
    Property,
    RelationType,
)
from domain.errors import InvalidMapping

Unknown = Literal["create", "reject"]
FOLLOWS = "FOLLOWS"
OWN_PROPERTIES = frozenset({"id", "name", "item_kind", "available", "created_at", "line"})


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True): ...


class FileOptions(_Part, frozen=True, kw_only=True):
    """How a file is read. format: by the file's ending unless given; delimiter: "," for CSV, a tab for TSV."""

    file: str
    format: Literal["csv", "tsv", "parquet", "jsonl"] | None = None
    delimiter: str | None = None
    encoding: str = "utf-8"


class TimeOptions(FileOptions, frozen=True, kw_only=True):
    """time_zone: of times without an offset (default: the source's). time_format: "iso", "epoch_s", "epoch_ms" or a
    strptime pattern; without one, seconds, milliseconds and ISO 8601 are told apart by themselves."""

    time_zone: str | None = None
    time_format: str | None = None


class Column(_Part, frozen=True, kw_only=True):
    """A column that becomes a property. type: of its values; separator: between the values of a list."""

    column: str
    name: str | None = None
    description: str = ""
    sensitive: bool = False
    type: Literal["text", "number", "flag", "list"] = "text"
    separator: str = "|"

    @property
    def property_name(self) -> str:
        return self.name or self.column


class SourceOptions(_Part, frozen=True, kw_only=True):
    name: str
    licence: str = ""
    time_zone: str | None = None


class Items(TimeOptions, frozen=True, kw_only=True):
    """kind: one item kind for all rows; kind_column: a column that holds it. Without both: "item"."""

    id: str
    name: str | None = None
    kind: str | None = None
    kind_column: str | None = None
    available: str | None = None
    created_at: str | None = None
    properties: tuple[str | Column, ...] = ()


class Users(FileOptions, frozen=True, kw_only=True):
    id: str
    properties: tuple[str | Column, ...] = ()


class Entities(FileOptions, frozen=True, kw_only=True):
    """Names of entities. id: the column with the key (the id in the graph is "Label:key")."""

    label: str
    id: str
    name: str | None = None


class Relations(FileOptions, frozen=True, kw_only=True):
    """One relation per row and value. head_label, tail_label: "User", "Item" or an entity label.

    unknown: what happens to entities that no [[entities]] table names. Users and items must be known.
    """

    type: str
    head: str
    tail: str
    tail_label: str
    head_label: str = "Item"
    separator: str | None = None
    weight: str | None = None
    unknown: Unknown = "create"


class Events(TimeOptions, frozen=True, kw_only=True):
    """Exactly one of kind and kind_column. event: a column with unique event ids; key: the columns that tell events
    apart where there is none (default: user, item, kind, at and session)."""

    user: str
    item: str
    at: str
    kind: str | None = None
    kind_column: str | None = None
    kind_map: dict[str, str] = {}
    value: str | None = None
    session: str | None = None
    event: str | None = None
    key: tuple[str, ...] = ()
    unknown_users: Unknown = "create"
    unknown_items: Unknown | None = None


class EntityOptions(_Part, frozen=True, kw_only=True):
    noun: str | None = None
    description: str = ""
    sensitive: bool = False


class RelationOptions(_Part, frozen=True, kw_only=True):
    """same: completes "Same ___ as …"; phrase: goes before the entity's name ("made by")."""

    same: str | None = None
    phrase: str | None = None
    description: str = ""
    sensitive: bool = False


class KindOptions(_Part, frozen=True, kw_only=True):
    """See domain.declarations.EventKind. Fields left out keep those of Clew's own kind of that name."""

    verb: str | None = None
    description: str | None = None
    weight: float | None = None
    steps: tuple[tuple[float, float], ...] | None = None
    repeat: Literal["newest", "count"] | None = None
    hides_days: float | None = None


class Mapping(_Part, frozen=True, kw_only=True):
    source: SourceOptions
    events: tuple[Events, ...]
    items: tuple[Items, ...] = ()
    users: tuple[Users, ...] = ()
    entities: tuple[Entities, ...] = ()
    relations: tuple[Relations, ...] = ()
    entity_types: dict[str, EntityOptions] = {}
    relation_types: dict[str, RelationOptions] = {}
    event_kinds: dict[str, KindOptions] = {}


def read_mapping(path: Path) -> Mapping:
    """Raises: InvalidMapping that names the file, the key and what to do."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InvalidMapping(f"no mapping file {path}; check the path", field="path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidMapping(f"cannot read {path} as UTF-8 text: {error}", field="path") from error
    try:
        mapping = msgspec.convert(tomllib.loads(text), Mapping)
    except tomllib.TOMLDecodeError as error:
        raise InvalidMapping(f"{path.name} is not TOML: {error}", field="path") from error
    except msgspec.ValidationError as error:
        raise _readable(path, str(error)) from error
    try:
        _check(mapping)
        declare(mapping).check()
    except InvalidMapping as error:
        raise InvalidMapping(f"{path.name}: {error.message}", field=error.field) from error
    return mapping


def declare(mapping: Mapping) -> Declaration:
    """The declaration that a mapping amounts to; texts that it leaves out are made from the names."""
    labels = [entity.label for entity in mapping.entities]
    for relation in mapping.relations:
        labels += [relation.head_label, relation.tail_label]
    labels = [label for label in dict.fromkeys([*mapping.entity_types, *labels]) if label not in ("User", "Item")]
    entity_types = tuple(_entity_type(label, mapping.entity_types.get(label, EntityOptions())) for label in labels)
    nouns = {kind.label: kind.noun for kind in entity_types}
    relations = {relation.type: relation for relation in mapping.relations if relation.type != FOLLOWS}
    return Declaration(
        name=mapping.source.name,
        entity_types=entity_types,
        relation_types=tuple(
            _relation_type(relation, mapping.relation_types.get(name, RelationOptions()), nouns)
            for name, relation in relations.items()
        ),
        event_kinds=_event_kinds(mapping.event_kinds),
        user_properties=_properties(mapping.users),
        item_properties=_properties(mapping.items),
    )


def columns_of(properties: tuple[str | Column, ...]) -> list[Column]:
    """The properties of a table; a bare name is a text column of that name."""
    return [Column(column=each) if isinstance(each, str) else each for each in properties]


def _check(mapping: Mapping) -> None:
    """What the types alone cannot say. Raises: InvalidMapping."""
    kinds = {kind.name for kind in _event_kinds(mapping.event_kinds)}
    if not mapping.events:
        raise InvalidMapping("there is no [[events]] table; name at least one file of events", field="events")
    for place, events in enumerate(mapping.events, start=1):
        _check_events(f"[[events]] number {place}", events, kinds)
    for what, tables in (("items", mapping.items), ("events", mapping.events)):
        for place, table in enumerate(tables, start=1):
            _check_zone(f"[[{what}]] number {place}", table.time_zone)
    _check_properties("items", [items.properties for items in mapping.items])
    _check_properties("users", [users.properties for users in mapping.users])
    _check_zone("[source]", mapping.source.time_zone)
    for place, items in enumerate(mapping.items, start=1):
        if items.kind and items.kind_column:
            raise InvalidMapping(f"[[items]] number {place}: give kind or kind_column, not both", field="kind")
    _check_relations(mapping)


def _check_properties(what: str, tables: list[tuple[str | Column, ...]]) -> None:
    for place, properties in enumerate(tables, start=1):
        for column in columns_of(properties):
            name = column.property_name
            if not IDENTIFIER.match(name) or name in OWN_PROPERTIES:
                problem = "is Clew's own" if name in OWN_PROPERTIES else "must be letters, digits and _"
                raise InvalidMapping(
                    f"[[{what}]] number {place}: the property name {name!r} {problem}; write "
                    f'{{column = "{column.column}", name = "another_name"}}',
                    field="properties",
                )


def _check_events(where: str, events: Events, kinds: set[str]) -> None:
    if (events.kind is None) == (events.kind_column is None):
        raise InvalidMapping(f'{where}: give either kind = "purchase" for all rows or kind_column = "…"', field="kind")
    if events.kind_map and events.kind_column is None:
        raise InvalidMapping(f"{where}: kind_map needs kind_column", field="kind_map")
    if events.event and events.key:
        raise InvalidMapping(f"{where}: give event (a column of unique ids) or key, not both", field="key")
    for name in (events.kind, *events.kind_map.values()):
        if name is not None and name not in kinds:
            raise InvalidMapping(
                f"{where}: the kind {name!r} is not declared; add [event_kinds.{name}] or use one of "
                f"{', '.join(sorted(kinds))}",
                field="kind",
            )


def _check_relations(mapping: Mapping) -> None:
    ends: dict[str, tuple[str, str]] = {}
    for place, relation in enumerate(mapping.relations, start=1):
        both = (relation.head_label, relation.tail_label)
        if relation.type == FOLLOWS and both != ("User", "User"):
            raise InvalidMapping(
                f'[[relations]] number {place}: FOLLOWS joins users; set head_label and tail_label to "User"',
                field="type",
            )
        if ends.setdefault(relation.type, both) != both:
            raise InvalidMapping(
                f"[[relations]] number {place}: {relation.type} joins {' and '.join(ends[relation.type])} before and "
                f"{' and '.join(both)} here; give one of them another type",
                field="type",
            )
    for name in mapping.relation_types:
        if name not in ends:
            raise InvalidMapping(f"[relation_types.{name}]: no [[relations]] table has this type", field=name)


def _check_zone(where: str, zone: str | None) -> None:
    if zone is None:
        return
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        message = f'{where}: no time zone {zone!r}; use a name like "Europe/Berlin" or "UTC"'
        raise InvalidMapping(message, field="time_zone") from error


def _entity_type(label: str, options: EntityOptions) -> EntityType:
    noun = options.noun or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", label).replace("_", " ").lower()
    return EntityType(
        label=label, noun=noun, description=options.description or f"A {noun}.", sensitive=options.sensitive
    )


def _relation_type(relation: Relations, options: RelationOptions, nouns: dict[str, str]) -> RelationType:
    words = relation.type.replace("_", " ").lower()
    noun = nouns.get(relation.tail_label, relation.tail_label.lower())
    return RelationType(
        type=relation.type,
        head=relation.head_label,
        tail=relation.tail_label,
        description=options.description or f"{relation.head_label} {words} {relation.tail_label}.",
        same=options.same or noun,
        phrase=options.phrase or words,
        sensitive=options.sensitive,
    )


def _event_kinds(options: dict[str, KindOptions]) -> tuple[EventKind, ...]:
    """Clew's kinds, changed and added to by the mapping's."""
    kinds = {kind.name: kind for kind in COMMON_EVENT_KINDS}
    for name, option in options.items():
        given = {key: value for key, value in msgspec.structs.asdict(option).items() if value is not None}
        base = kinds.get(name) or EventKind(name=name, verb=f"chose ({name})", description=f"The event {name}.")
        kinds[name] = msgspec.structs.replace(base, **given)
    return tuple(kinds.values())


def _properties(tables: tuple[Items, ...] | tuple[Users, ...]) -> tuple[Property, ...]:
    found: dict[str, Property] = {}
    for table in tables:
        for column in columns_of(table.properties):
            name = column.property_name
            description = column.description or f"The column {column.column} of {table.file}."
            found.setdefault(name, Property(name=name, description=description, sensitive=column.sensitive))
    return tuple(found.values())


def _readable(path: Path, message: str) -> InvalidMapping:
    """msgspec's message with the key in TOML's words."""
    what, _, where = message.partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    place = re.sub(r"\[(\d+)\]", lambda number: f" number {int(number.group(1)) + 1}", where) or "the top level"
    what = re.sub(r"^Object missing required field `(\w+)`", r"the key \1 is missing; add it", what)
    what = re.sub(r"^Object contains unknown field `(\w+)`", r"there is no key \1; check its spelling", what)
    named = re.search(r"key (\w+)", what)
    return InvalidMapping(f"{path.name}, {place}: {what}", field=named.group(1) if named else where or "mapping")
