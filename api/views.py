"""From what is stored to what is answered."""

from collections.abc import Sequence
from typing import cast

from api.checks import require_entity
from api.documents import EntityOut, ItemOut, RelationOut, UserOut
from api.types import iso
from domain.declarations import OPT_OUT
from domain.records import ItemPut, Properties, RelationEnd
from recommend.profiles import UserRecord
from recommend.world import View


def item_out(item: ItemPut) -> ItemOut:
    return ItemOut(
        item_id=item.item_id,
        name=item.name,
        item_kind=item.item_kind,
        available=item.available,
        created_at=None if item.created_at is None else iso(item.created_at),
        properties=item.properties,
        relations=_relations(item.relations),
    )


def user_out(user: UserRecord) -> UserOut:
    return UserOut(
        user_id=user.user_id,
        properties=cast(Properties, {name: value for name, value in user.properties.items() if name != OPT_OUT}),
        relations=_relations(user.relations),
        preferences=_relations(user.preferences),
        follows=user.follows,
        opt_out=user.is_opted_out,
    )


def entity_out(view: View, entity_id: str) -> EntityOut:
    """Raises: UnknownEntity."""
    row = require_entity(view, entity_id)
    catalogue = view.catalogue
    return EntityOut(
        entity_id=entity_id,
        name=catalogue.entity_names[row],
        label=catalogue.label(row),
        degree=catalogue.degree(row),
    )


def _relations(ends: Sequence[RelationEnd]) -> tuple[RelationOut, ...]:
    return tuple(RelationOut(type=end.type, entity_id=end.entity_id, weight=end.weight) for end in ends)
