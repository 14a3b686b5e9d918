"""The declaration of the data set, as callers may know it."""

from domain.declared import DeclaredName, DeclaredRelation, DeclaredTypes
from recommend.segments import SEGMENTS
from recommend.world import View


def declared_types(view: View) -> DeclaredTypes:
    """Without what is sensitive."""
    declaration = view.declaration
    described = {one.name: one.description for one in declaration.item_properties}
    return DeclaredTypes(
        entity_types=tuple(
            DeclaredName(name=one.label, description=one.description)
            for one in declaration.entity_types
            if not one.sensitive
        ),
        relations=tuple(
            DeclaredRelation(type=one.type, head=one.head, tail=one.tail, description=one.description)
            for one in declaration.relation_types
            if not one.sensitive
        ),
        event_kinds=tuple(DeclaredName(name=one.name, description=one.description) for one in declaration.event_kinds),
        user_properties=tuple(
            DeclaredName(name=one.name, description=one.description)
            for one in declaration.user_properties
            if not one.sensitive
        ),
        item_fields=tuple(
            DeclaredName(name=name, description=described.get(name, "")) for name in sorted(view.catalogue.field_names)
        ),
        segments=SEGMENTS,
    )
