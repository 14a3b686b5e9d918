"""The declaration that a mapping amounts to."""

import re

import msgspec

from domain.declarations import COMMON_EVENT_KINDS, Declaration, EntityType, EventKind, Property, RelationType
from ingest.mapping import (
    FOLLOWS,
    EntityOptions,
    Items,
    KindOptions,
    Mapping,
    RelationOptions,
    Relations,
    Users,
    columns_of,
)


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
        event_kinds=event_kinds(mapping.event_kinds),
        user_properties=_properties(mapping.users),
        item_properties=_properties(mapping.items),
    )


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


def event_kinds(options: dict[str, KindOptions]) -> tuple[EventKind, ...]:
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
