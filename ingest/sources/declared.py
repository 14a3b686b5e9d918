"""Declarations that grow while a source is read, and names made from a source's own words."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from domain.declarations import (
    RESERVED_LABELS,
    RESERVED_RELATIONS,
    Declaration,
    EntityType,
    EventKind,
    Property,
    RelationType,
)


@dataclass
class Declared:
    """Types in the order in which they are declared; the same type twice is one."""

    entity_types: dict[str, EntityType] = field(default_factory=dict[str, EntityType])
    relation_types: dict[str, RelationType] = field(default_factory=dict[str, RelationType])
    user_properties: list[Property] = field(default_factory=list[Property])
    item_properties: list[Property] = field(default_factory=list[Property])

    def entity(self, kind: EntityType) -> EntityType:
        return self.entity_types.setdefault(kind.label, kind)

    def relation(self, kind: RelationType) -> RelationType:
        return self.relation_types.setdefault(kind.type, kind)

    def declaration(self, name: str, event_kinds: Iterable[EventKind]) -> Declaration:
        return Declaration(
            name=name,
            entity_types=tuple(self.entity_types.values()),
            relation_types=tuple(self.relation_types.values()),
            event_kinds=tuple(event_kinds),
            user_properties=tuple(self.user_properties),
            item_properties=tuple(self.item_properties),
        )


def relation_name(candidates: Sequence[str], taken: Iterable[str]) -> str:
    """UPPER_SNAKE from the first of the candidates (any words) that is not taken; with a number when all are."""
    names = [_upper_snake(words) for words in candidates]
    used = {*taken, *RESERVED_RELATIONS}
    return next((name for name in names if name not in used), None) or _free(names[0], used)


def label_name(words: str, taken: Iterable[str]) -> str:
    """PascalCase from any words, with a number when it is taken."""
    name = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", words))
    if not name[:1].isalpha():
        name = f"L{name}"
    return _free(name, {*taken, *RESERVED_LABELS})


def in_words(name: str) -> str:
    """ "place_of_birth" as "place of birth"."""
    return re.sub(r"[^A-Za-z0-9]+", " ", name).strip().lower()


def _upper_snake(words: str) -> str:
    name = re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").upper()
    return name if name[:1].isalpha() else f"R_{name}".rstrip("_")


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"
