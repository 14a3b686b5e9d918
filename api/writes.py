"""From requests to records: every check that the graph's declaration and catalogue allow, then one durable append.

What the log holds can therefore be applied by every projection without asking again.
"""

from dataclasses import replace

from api.admission import Admission
from api.checks import check_properties, check_relations, check_users, find_relation, require_entity, require_item
from api.schemas import EntityIn, ItemIn, ItemPatch, RelationBody, StatedTaste, UserIn, UserPatch
from api.services import Services
from api.watch import GraphWatch
from domain.declarations import OPT_OUT
from domain.erasure import ErasureReceipt
from domain.errors import Backlog, Gone, InvalidRequest, UnknownUser
from domain.ids import split_entity_id
from domain.person import PersonExport
from domain.records import (
    EntityDeleted,
    EntityPut,
    ItemPut,
    ItemRetired,
    Properties,
    Record,
    RelationDeleted,
    RelationEnd,
    RelationPut,
    UserMerged,
    UserPut,
)
from recommend.erasure import Eraser
from recommend.person import export_person
from recommend.profiles import UserRecord
from recommend.world import View


class Writes:
    """The write side of the API. Each method returns when its record is durable."""

    def __init__(self, services: Services, watch: GraphWatch, admission: Admission) -> None:
        self._services = services
        self._admission = admission
        self._watch = watch
        self._eraser = services.eraser or Eraser(services.log, services.world)

    def put_item(self, item_id: str, body: ItemIn) -> bool:
        """Replaces the item; True when it was not there. Raises: InvalidRequest naming the field."""
        view = self.fresh()
        record = ItemPut(
            item_id=item_id,
            name=body.name,
            item_kind=body.item_kind,
            available=body.available,
            created_at=body.created_at,
            properties=check_properties(body.properties, view.declaration.item_properties),
            relations=check_relations(view, body.relations, "Item"),
        )
        self.append(record)
        self._release("item", item_id)
        return item_id not in view.catalogue.item_rows

    def patch_item(self, item_id: str, body: ItemPatch) -> None:
        """Changes the named fields. Of two patches at once the later one wins. Raises: UnknownItem, InvalidRequest."""
        view = self.fresh()
        now = view.catalogue.as_put(require_item(view, item_id))
        named = body.model_fields_set
        relations = body.relations if "relations" in named else None
        record = ItemPut(
            item_id=item_id,
            name=now.name if body.name is None else body.name,
            item_kind=now.item_kind if body.item_kind is None else body.item_kind,
            available=now.available if body.available is None else body.available,
            created_at=body.created_at if "created_at" in named else now.created_at,
            properties=check_properties(_merged(now.properties, body.properties), view.declaration.item_properties),
            relations=now.relations if relations is None else check_relations(view, relations, "Item"),
        )
        self.append(record)

    def retire_item(self, item_id: str) -> None:
        """The item is no longer available; its history stays. Raises: UnknownItem."""
        require_item(self.fresh(), item_id)
        self.append(ItemRetired(item_id=item_id))

    def put_user(self, user_id: str, body: UserIn) -> bool:
        """Replaces what is stored of the user; True when they were not there. Raises: InvalidRequest, Gone."""
        view = self.fresh()
        record = UserPut(
            user_id=user_id,
            properties=_personal(view, body.properties, opts_out=body.opt_out),
            relations=check_relations(view, body.relations, "User"),
            preferences=_preferences(view, body.preferences),
            follows=check_users(view, body.follows, user_id),
        )
        self.append(record)
        self._release("user", user_id)
        return view.user(user_id) is None

    def patch_user(self, user_id: str, body: UserPatch) -> None:
        """Changes the named fields. Raises: UnknownUser, InvalidRequest."""
        view = self.fresh()
        now = self.stored_user(user_id)
        relations, preferences, follows = body.relations, body.preferences, body.follows
        stored = {name: value for name, value in now.properties.items() if name != OPT_OUT}
        properties = _merged(stored, body.properties)  # pyright: ignore[reportArgumentType]
        opts_out = now.is_opted_out if body.opt_out is None else body.opt_out
        record = UserPut(
            user_id=user_id,
            properties=_personal(view, properties, opts_out=opts_out),
            relations=now.relations if relations is None else check_relations(view, relations, "User"),
            preferences=now.preferences if preferences is None else _preferences(view, preferences),
            follows=now.follows if follows is None else check_users(view, follows, user_id),
        )
        self.append(record)

    def stored_item(self, item_id: str) -> ItemPut:
        """The record that would make the item as it is. Raises: UnknownItem."""
        view = self.fresh()
        return view.catalogue.as_put(require_item(view, item_id))

    def stored_user(self, user_id: str) -> UserRecord:
        """What is stored of a user. Raises: UnknownUser."""
        view = self.fresh()
        user = view.user(user_id)
        if user is None:
            raise UnknownUser(f"no user {user_id!r}; post an event of theirs, or PUT them", field="user_id")
        return replace(user, follows=view.followed(user))

    def merge_user(self, user_id: str, visitor_id: str) -> None:
        """Joins a visitor to a user, who is made if need be. Raises: UnknownUser for the visitor, InvalidRequest, Gone.

        Done twice, the second time finds no such visitor, unless they came back in between.
        """
        view = self.fresh()
        if user_id == visitor_id:
            raise InvalidRequest("a user cannot be merged with themselves", field="from")
        if view.user(visitor_id) is None:
            raise UnknownUser(f"no user {visitor_id!r} to merge; they did nothing yet, or were merged", field="from")
        self.append(UserMerged(user_id=user_id, from_id=visitor_id))

    def erase_user(self, user_id: str) -> ErasureReceipt:
        """Deletes a person; doing it twice is doing it once. Raises: UnknownUser for someone never seen."""
        return self._eraser.erase(user_id)

    def erasure_of(self, user_id: str) -> ErasureReceipt:
        """Where an erasure stands now. Raises: UnknownUser for someone who was not erased."""
        return self._eraser.receipt(user_id)

    def export_user(self, user_id: str) -> PersonExport:
        """Everything that is held of a person. Raises: UnknownUser, Gone."""
        return export_person(self._eraser, user_id)

    def put_entity(self, entity_id: str, body: EntityIn) -> bool:
        """Makes or renames an entity; True when it was not there. Raises: InvalidRequest for an undeclared type."""
        view = self.fresh()
        label, _ = split_entity_id(entity_id)
        if label not in view.declaration.entity_code:
            known = ", ".join(view.declaration.entity_code) or "none"
            raise InvalidRequest(f"no entity type {label!r} is declared; declared: {known}", field="entity_id")
        self.append(EntityPut(entity_id=entity_id, name=body.name))
        return entity_id not in view.catalogue.entity_rows

    def delete_entity(self, entity_id: str) -> None:
        """The entity and its relations go. Raises: UnknownEntity."""
        require_entity(self.fresh(), entity_id)
        self.append(EntityDeleted(entity_id=entity_id))

    def put_relation(self, body: RelationBody) -> None:
        """Joins two nodes that are there. Raises: InvalidRequest, UnknownUser, UnknownItem, UnknownEntity."""
        head_label = find_relation(self.fresh(), body.type, body.head_id, body.tail_id)
        self.append(
            RelationPut(
                type=body.type,
                head_id=body.head_id,
                tail_id=body.tail_id,
                weight=body.weight,
                head_label=head_label,
            )
        )

    def delete_relation(self, type_name: str, head_id: str, tail_id: str) -> None:
        """Parts two nodes. Nothing changes when they were not joined. Raises: as put_relation."""
        head_label = find_relation(self.fresh(), type_name, head_id, tail_id)
        self.append(RelationDeleted(type=type_name, head_id=head_id, tail_id=tail_id, head_label=head_label))

    def append(self, record: Record) -> None:
        """Raises: Backlog, Gone for someone who was erased, and what the log raises."""
        self.refuse_backlog()
        verdict = self._services.log.append([record])[0]
        if verdict.code == "erased_user":
            raise Gone("this person was erased, and is not taken up again")

    def refuse_backlog(self) -> None:
        """Raises: Backlog while the writer to Neo4j is too far behind the log."""
        written = self._watch.state.writer_offset
        if written is None:
            return
        behind = self._services.log.last_offset() - written
        if behind > self._services.backlog_limit:
            raise Backlog(f"Neo4j is {behind} records behind the log; try again in a while, or look at `clew status`")

    def _release(self, what: str, node_id: str) -> None:
        """Takes the events that were held for something that is there now."""
        if "hold" in (self._services.event_limits.unknown_items, self._services.event_limits.unknown_users):
            self.fresh()
            self._admission.release(f"{what}:{node_id}")

    def fresh(self) -> View:
        """The world with everything that is in the log now."""
        self._services.world.catch_up()
        return self._services.world.view()


def _merged(now: Properties, changes: Properties | None) -> Properties:
    """The properties with the changes; null takes one away."""
    return {name: value for name, value in {**now, **(changes or {})}.items() if value is not None}


def _personal(view: View, properties: Properties, *, opts_out: bool) -> Properties:
    """What is stored of a user's properties. Raises: InvalidRequest for one that is not declared."""
    checked = check_properties(properties, view.declaration.user_properties)
    return {**checked, OPT_OUT: True} if opts_out else checked


def _preferences(view: View, tastes: list[StatedTaste]) -> tuple[RelationEnd, ...]:
    """Raises: InvalidRequest for an entity that is not there."""
    for place, taste in enumerate(tastes):
        if taste.entity_id not in view.catalogue.entity_rows:
            raise InvalidRequest(f"no entity {taste.entity_id!r}", field=f"preferences.{place}.entity_id")
    weights = {taste.entity_id: taste.weight for taste in tastes}
    return tuple(RelationEnd(type="PREFERS", entity_id=entity_id, weight=weights[entity_id]) for entity_id in weights)
