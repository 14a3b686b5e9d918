"""Whether what a request names is declared and there."""

from collections.abc import Sequence

from api.schemas import RelationIn
from domain.declarations import Property
from domain.errors import InvalidRequest, UnknownEntity, UnknownItem, UnknownUser
from domain.records import Properties, RelationEnd
from recommend.world import View

OWN_RELATIONS = {"FOLLOWS": ("User", "User"), "PREFERS": ("User", "Entity")}


def require_item(view: View, item_id: str) -> int:
    """The item's row. Raises: UnknownItem."""
    row = view.catalogue.item_rows.get(item_id)
    if row is None:
        raise UnknownItem(f"no item {item_id!r}; PUT /v1/items/ makes one", field="item_id")
    return row


def require_entity(view: View, entity_id: str) -> int:
    """The entity's row. Raises: UnknownEntity."""
    row = view.catalogue.entity_rows.get(entity_id)
    if row is None:
        raise UnknownEntity(f"no entity {entity_id!r}; PUT /v1/entities/ makes one", field="entity_id")
    return row


def check_properties(properties: Properties, declared: Sequence[Property]) -> Properties:
    """The properties without nulls. Raises: InvalidRequest for one that is not declared."""
    names = {entry.name for entry in declared}
    for name in properties:
        if name not in names:
            known = ", ".join(sorted(names)) or "none"
            raise InvalidRequest(f"no property {name!r} is declared; declared: {known}", field=f"properties.{name}")
    return {name: value for name, value in properties.items() if value is not None}


def check_relations(view: View, relations: Sequence[RelationIn], head: str) -> tuple[RelationEnd, ...]:
    """Relations that start at an item or a user, each once; the last weight counts.

    Raises: InvalidRequest for an undeclared type, one that starts elsewhere, or an end that is not there.
    """
    ends: dict[tuple[str, str], RelationEnd] = {}
    for place, relation in enumerate(relations):
        field = f"relations.{place}"
        labels = relation_ends(view, relation.type, f"{field}.type")
        if labels[0] != head or relation.type in OWN_RELATIONS:
            raise InvalidRequest(f"{relation.type} does not start at a {head}", field=f"{field}.type")
        if not exists(view, labels[1], relation.entity_id):
            raise InvalidRequest(f"no {labels[1]} {relation.entity_id!r}; make it first", field=f"{field}.entity_id")
        end = RelationEnd(type=relation.type, entity_id=relation.entity_id, weight=relation.weight)
        ends[relation.type, relation.entity_id] = end
    return tuple(ends.values())


def check_users(view: View, user_ids: Sequence[str], follower: str) -> tuple[str, ...]:
    """Users to follow, each once. Raises: InvalidRequest for one who is not there, and for the follower."""
    for place, user_id in enumerate(user_ids):
        if user_id == follower or view.user(user_id) is None:
            why = "nobody follows themselves" if user_id == follower else f"no user {user_id!r}; make them first"
            raise InvalidRequest(why, field=f"follows.{place}")
    return tuple(dict.fromkeys(user_ids))


def find_relation(view: View, type_name: str, head_id: str, tail_id: str) -> str:
    """The label of the head of a relation between two nodes that are there.

    Raises: InvalidRequest for an undeclared type; UnknownUser, UnknownItem, UnknownEntity for an end that is not there.
    """
    labels = relation_ends(view, type_name, "type")
    for label, node_id, field in zip(labels, (head_id, tail_id), ("head_id", "tail_id"), strict=True):
        if not exists(view, label, node_id):
            error = {"User": UnknownUser, "Item": UnknownItem}.get(label, UnknownEntity)
            raise error(f"no {label} {node_id!r}; make it first", field=field)
    return labels[0]


def relation_ends(view: View, type_name: str, field: str) -> tuple[str, str]:
    """The labels that a relation type joins. Raises: InvalidRequest for an undeclared one."""
    if type_name in OWN_RELATIONS:
        return OWN_RELATIONS[type_name]
    code = view.declaration.relation_code.get(type_name)
    if code is None:
        known = ", ".join(view.declaration.relation_code) or "none"
        raise InvalidRequest(f"no relation {type_name!r} is declared; declared: {known}", field=field)
    declared = view.declaration.relation_types[code]
    return declared.head, declared.tail


def exists(view: View, label: str, node_id: str) -> bool:
    """Whether there is such a node with this label. "Entity": of any type."""
    if label == "User":
        return view.user(node_id) is not None
    if label == "Item":
        return node_id in view.catalogue.item_rows
    row = view.catalogue.entity_rows.get(node_id)
    return row is not None and label in ("Entity", view.catalogue.label(row))
