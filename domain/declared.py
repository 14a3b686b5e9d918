"""What a graph is declared to hold, as far as a caller may name it: for forms, filters and rules."""

import msgspec


class DeclaredName(msgspec.Struct, frozen=True, kw_only=True):
    """An entity label, a kind of event, or a property of users or items."""

    name: str
    description: str


class DeclaredRelation(msgspec.Struct, frozen=True, kw_only=True):
    """A relation type. head, tail: User, Item or an entity label."""

    type: str
    head: str
    tail: str
    description: str


class DeclaredTypes(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the declaration, without what is sensitive. item_fields: what a filter may name, by name.

    segments: how active a user is, from the least. user_properties: what the `profile` of a rule's condition may name.
    """

    entity_types: tuple[DeclaredName, ...]
    relations: tuple[DeclaredRelation, ...]
    event_kinds: tuple[DeclaredName, ...]
    user_properties: tuple[DeclaredName, ...]
    item_fields: tuple[DeclaredName, ...]
    segments: tuple[str, ...]
