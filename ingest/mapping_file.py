"""Reads a mapping file, and says what is wrong with it."""

import codecs
import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from domain.declarations import IDENTIFIER
from domain.errors import InvalidMapping
from ingest.mapping import FOLLOWS, Column, Events, FileOptions, Mapping, Relations, columns_of
from ingest.mapping_declaration import declare, event_kinds

OWN_PROPERTIES = frozenset({"id", "name", "item_kind", "available", "created_at"})


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
        raise readable(path, str(error)) from error
    try:
        _check(mapping)
        declare(mapping).check()
    except InvalidMapping as error:
        raise InvalidMapping(f"{path.name}: {error.message}", field=error.field) from error
    return mapping


def _check(mapping: Mapping) -> None:
    """What the types alone cannot say. Raises: InvalidMapping."""
    kinds = {kind.name for kind in event_kinds(mapping.event_kinds)}
    if not mapping.events:
        raise InvalidMapping("there is no [[events]] table; name at least one file of events", field="events")
    for place, events in enumerate(mapping.events, start=1):
        _check_events(f"[[events]] number {place}", events, kinds)
    _check_reading(mapping)
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


def _check_reading(mapping: Mapping) -> None:
    """Encodings that exist, and delimiters and separators that can divide."""
    for what in ("items", "users", "entities", "relations", "events"):
        tables: tuple[FileOptions, ...] = getattr(mapping, what)
        for place, table in enumerate(tables, start=1):
            where = f"[[{what}]] number {place}"
            try:
                codecs.lookup(table.encoding)
            except LookupError as error:
                message = f'{where}: no encoding {table.encoding!r}; use a name like "utf-8" or "latin-1"'
                raise InvalidMapping(message, field="encoding") from error
            if table.delimiter is not None and (len(table.delimiter) != 1 or table.delimiter in '"\r\n'):
                raise InvalidMapping(f"{where}: the delimiter must be one character", field="delimiter")
            if isinstance(table, Relations) and table.separator == "":
                raise InvalidMapping(f"{where}: leave separator out, or give at least one character", field="separator")


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


def readable(path: Path, message: str) -> InvalidMapping:
    """msgspec's message with the key in TOML's words."""
    what, _, where = message.partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    place = re.sub(r"\[(\d+)\]", lambda number: f" number {int(number.group(1)) + 1}", where) or "the top level"
    what = re.sub(r"^Object missing required field `(\w+)`", r"the key \1 is missing; add it", what)
    what = re.sub(r"^Object contains unknown field `(\w+)`", r"there is no key \1; check its spelling", what)
    named = re.search(r"key (\w+)", what)
    return InvalidMapping(f"{path.name}, {place}: {what}", field=named.group(1) if named else where or "mapping")
