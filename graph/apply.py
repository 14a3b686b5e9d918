"""Records of the log into Neo4j: the writer's half of the flow. A batch and its offset are one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeVar, cast

from cypher import statement
from domain.declarations import Declaration
from domain.records import (
    EntityDeleted,
    EntityPut,
    Event,
    ItemPut,
    ItemRetired,
    Record,
    RelationDeleted,
    RelationPut,
    RuleDeleted,
    RulePut,
    UserErased,
    UserMerged,
    UserPut,
)
from graph.columns import as_datetime
from graph.driver import Driver, Transaction
from graph.online import end_label, relation_statement
from graph.rules import write_rules
from graph.turns import Place, claim

Value = TypeVar("Value")
OWN_RELATIONS = {"FOLLOWS": ("User", "User"), "PREFERS": ("User", "Entity")}
Ends = tuple[str, str, str, float | None]  # type, head id, tail id, weight


def apply(
    driver: Driver, declaration: Declaration, records: Sequence[tuple[int, Record]], place: Place, *, fence: int | None
) -> int:
    """Writes records and the last one's place in one transaction; those at or below the stored offset are skipped.

    Users, items and entities that a record names and nobody has made are made bare, so that order does not matter.
    fence: of the writer's turn; None: there is no other writer.
    Returns: how many relations were left out because their type is not declared. Raises: WriterReplaced.
    """
    left_out = 0

    def work(transaction: Transaction) -> None:
        nonlocal left_out
        batch = _Batch(transaction, declaration)
        done = claim(transaction, place.partition, fence)
        fresh = [(offset, record) for offset, record in records if offset > done]
        for kind, run in groupby(fresh, key=lambda entry: type(entry[1])):
            if kind in (RulePut, RuleDeleted):
                changes = [(offset, one) for offset, one in run if isinstance(one, RulePut | RuleDeleted)]
                write_rules(transaction, changes)
            else:
                batch.apply(kind, [record for _, record in run])
        batch.count_degrees()
        if place.offset > done:
            transaction.run(statement("write/marker"), place.as_marker())
        left_out = batch.left_out

    driver.write(work)
    return left_out


def expel(driver: Driver, declaration: Declaration, user_ids: Iterable[str], partition: str, fence: int | None) -> None:
    """Takes users out, with everything about them; no record of the log says so. Raises: WriterReplaced."""

    def work(transaction: Transaction) -> None:
        claim(transaction, partition, fence)
        batch = _Batch(transaction, declaration)
        batch.apply(UserErased, [UserErased(user_id=user_id) for user_id in user_ids])
        batch.count_degrees()

    driver.write(work)


class _Batch:
    """One transaction's work, one method per type of record; each takes consecutive records of that type."""

    def __init__(self, transaction: Transaction, declaration: Declaration) -> None:
        self._transaction = transaction
        self._entity_labels = declaration.entity_code
        self._ends = {**OWN_RELATIONS, **{kind.type: (kind.head, kind.tail) for kind in declaration.relation_types}}
        self._touched: set[str] = set()  # entities whose degree may have changed
        self.left_out = 0

    def apply(self, kind: type[Record], run: list[Record]) -> None:
        by_kind = {
            Event: self._events,
            ItemPut: self._item_puts,
            ItemRetired: self._item_retired,
            UserPut: self._user_puts,
            UserErased: self._user_erased,
            UserMerged: self._user_merged,
            EntityPut: self._entity_puts,
            EntityDeleted: self._entity_deleted,
            RelationPut: self._relation_puts,
            RelationDeleted: self._relation_deleted,
        }
        by_kind[kind](run)  # pyright: ignore[reportArgumentType]  # every method gets its own type

    def count_degrees(self) -> None:
        if self._touched:
            self._transaction.run(statement("write/degrees"), {"ids": sorted(self._touched)})

    def _events(self, run: list[Event]) -> None:
        first = {event.event_id: event for event in reversed(run)}
        events = list(reversed(first.values()))
        self._ensure("User", (event.user_id for event in events))
        self._ensure("Item", (event.item_id for event in events))
        parameters: dict[str, object] = {
            "event_ids": [event.event_id for event in events],
            "user_ids": [event.user_id for event in events],
            "item_ids": [event.item_id for event in events],
            "kinds": [event.kind for event in events],
            "values": [event.value for event in events],
            "at": [event.at for event in events],
            "session_ids": [event.session_id for event in events],
            "recommendation_ids": [event.recommendation_id for event in events],
            "positions": [event.position for event in events],
        }
        self._transaction.run(statement("write/events"), parameters)

    def _item_puts(self, run: list[ItemPut]) -> None:
        puts = {put.item_id: put for put in run}.values()  # the last one of an item counts
        rows = [{"id": put.item_id, "properties": _item_properties(put)} for put in puts]
        self._run_touching("write/replace_items", {"rows": rows})
        self._relate((end.type, put.item_id, end.entity_id, end.weight) for put in puts for end in put.relations)

    def _item_retired(self, run: list[ItemRetired]) -> None:
        self._transaction.run(statement("write/retire_items"), {"ids": [record.item_id for record in run]})

    def _user_puts(self, run: list[UserPut]) -> None:
        puts = {put.user_id: put for put in run}.values()
        rows = [{"id": put.user_id, "properties": {**put.properties, "id": put.user_id}} for put in puts]
        self._run_touching("write/replace_users", {"rows": rows, "types": self._user_types()})
        self._relate(ends for put in puts for ends in _user_ends(put))

    def _user_erased(self, run: list[UserErased]) -> None:
        ids = sorted({record.user_id for record in run})
        self._run_touching("write/erase_users", {"ids": ids, "types": self._user_types()})

    def _user_merged(self, run: list[UserMerged]) -> None:
        """One after the other: the user of one may be the visitor of the next."""
        for record in run:
            if not record.from_id or record.from_id == record.user_id:
                continue  # an erased visitor has no id any more
            self._ensure("User", (record.user_id, record.from_id))
            parameters: dict[str, object] = {"user_id": record.user_id, "from_id": record.from_id}
            self._transaction.run(statement("write/merge_users"), parameters)

    def _entity_puts(self, run: list[EntityPut]) -> None:
        for label, puts in _grouped((record.entity_id.partition(":")[0], record) for record in run):
            if label not in self._entity_labels:
                self.left_out += len(puts)
                continue
            self._ensure(label, (put.entity_id for put in puts))
            rows = [{"id": put.entity_id, "properties": {"name": put.name}} for put in puts]
            self._transaction.run(statement("write/entities", label=label), {"rows": rows})

    def _entity_deleted(self, run: list[EntityDeleted]) -> None:
        ids = sorted({record.entity_id for record in run})
        self._run_touching("write/delete_entities", {"ids": ids})
        self._touched.difference_update(ids)

    def _relation_puts(self, run: list[RelationPut]) -> None:
        self._relate((put.type, put.head_id, put.tail_id, put.weight) for put in run)

    def _relation_deleted(self, run: list[RelationDeleted]) -> None:
        for kind, records in _grouped((record.type, record) for record in run):
            if kind not in self._ends:
                self.left_out += len(records)
                continue
            heads, tails = [record.head_id for record in records], [record.tail_id for record in records]
            text = relation_statement("write/delete_relations", kind, *self._ends[kind])
            self._transaction.run(text, {"heads": heads, "tails": tails})
            self._touch(kind, heads, tails)

    def _relate(self, relations: Iterable[Ends]) -> None:
        """Makes relations of declared types, and their ends where missing. The last weight of a pair counts."""
        for kind, group in _grouped((ends[0], ends) for ends in relations):
            if kind not in self._ends:
                self.left_out += len(group)
                continue
            weights = {(head, tail): weight for _, head, tail, weight in group}
            heads, tails = [head for head, _ in weights], [tail for _, tail in weights]
            head_label, tail_label = self._ends[kind]
            self._ensure(head_label, heads)
            self._ensure(tail_label, tails)
            text = relation_statement("write/relations", kind, head_label, tail_label)
            self._transaction.run(text, {"heads": heads, "tails": tails, "weights": list(weights.values())})
            self._touch(kind, heads, tails)

    def _ensure(self, label: str, ids: Iterable[str]) -> None:
        """Makes nodes that are missing. PREFERS has entities of every declared type; others are left to be missing."""
        names = sorted(set(ids))
        if label in ("User", "Item"):
            self._transaction.run(statement(f"write/ensure_{label.lower()}s"), {"ids": names})
            return
        for own_label, own in _grouped((name.partition(":")[0], name) for name in names):
            if own_label in self._entity_labels and label in ("Entity", own_label):
                self._transaction.run(statement("write/ensure_entities", label=own_label), {"ids": own})

    def _touch(self, kind: str, heads: Iterable[str], tails: Iterable[str]) -> None:
        for label, ids in zip(self._ends[kind], (heads, tails), strict=True):
            if end_label(label) == "Entity":
                self._touched.update(ids)

    def _run_touching(self, name: str, parameters: dict[str, object]) -> None:
        rows = self._transaction.run(statement(name), parameters)
        self._touched.update(cast(str, row["entity_id"]) for row in rows if row["entity_id"] is not None)

    def _user_types(self) -> list[str]:
        return [kind for kind, (head, _) in self._ends.items() if head == "User"]


def _user_ends(put: UserPut) -> Iterator[Ends]:
    for end in put.relations:
        yield end.type, put.user_id, end.entity_id, end.weight
    for end in put.preferences:
        yield "PREFERS", put.user_id, end.entity_id, end.weight
    for followed in put.follows:
        yield "FOLLOWS", put.user_id, followed, None


def _item_properties(put: ItemPut) -> dict[str, object]:
    return {
        **put.properties,
        "id": put.item_id,
        "name": put.name,
        "item_kind": put.item_kind,
        "available": put.available,
        "created_at": None if put.created_at is None else as_datetime(put.created_at),
    }


def _grouped(pairs: Iterable[tuple[str, Value]]) -> list[tuple[str, list[Value]]]:
    """Values by key, keys in order of first appearance."""
    groups: dict[str, list[Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return list(groups.items())
