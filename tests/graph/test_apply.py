"""Records of the log into the real Neo4j."""

import pytest

from domain.errors import GraphRefused
from domain.records import (
    EntityDeleted,
    EntityPut,
    Event,
    ItemPut,
    ItemRetired,
    Record,
    RelationDeleted,
    RelationEnd,
    RelationPut,
    UserErased,
    UserMerged,
    UserPut,
)
from graph.apply import _Batch  # pyright: ignore[reportPrivateUsage]
from graph.server import Connection
from graph.store import GraphStore
from tests.servers import ask
from tests.world import EVENTS, world_time


def event(event_id: str, user_id: str = "hal", *, item_id: str = "heat") -> Event:
    return Event(event_id=event_id, user_id=user_id, item_id=item_id, kind="view", at=world_time(40))


def put(item_id: str, *relations: tuple[str, str], **properties: int) -> ItemPut:
    return ItemPut(
        item_id=item_id,
        name=item_id.title(),
        item_kind="film",
        available=True,
        created_at=world_time(0),
        properties=dict(properties),
        relations=tuple(RelationEnd(type=kind, entity_id=entity) for kind, entity in relations),
    )


def numbered(*records: Record, first: int = 1) -> list[tuple[int, Record]]:
    return list(enumerate(records, first))


def outgoing(connection: Connection, label: str, node_id: str) -> set[tuple[object, object]]:
    query = (
        f"MATCH (:{label} {{id: '{node_id}'}})-[r]->(t) WHERE type(r) <> 'INTERACTED' RETURN type(r) AS r, t.id AS t"
    )
    return {(row["r"], row["t"]) for row in ask(connection, query)}


def degree(connection: Connection, entity_id: str) -> object:
    (row,) = ask(connection, f"MATCH (e:Entity {{id: '{entity_id}'}}) RETURN e.degree AS degree")
    return row["degree"]


def test_events_and_their_offset_are_stored_together(world: GraphStore, connection: Connection) -> None:
    assert world.writer_offset() == 0
    rated = Event(
        event_id="n2",
        user_id="ann",
        item_id="blade",
        kind="rate",
        at=world_time(41),
        value=4.5,
        session_id="s",
        recommendation_id="r",
        position=3,
    )
    assert world.apply(numbered(event("n1"), rated)) == 0
    assert world.writer_offset() == 2
    assert world.counts()["events"] == len(EVENTS) + 2
    (stored,) = ask(
        connection,
        "MATCH (:User {id: 'ann'})-[e:INTERACTED {event_id: 'n2'}]->(:Item {id: 'blade'}) "
        "RETURN e.value, e.session_id, e.recommendation_id, e.position, e.at.epochMillis AS at",
    )
    assert stored == {
        "e.value": 4.5,
        "e.session_id": "s",
        "e.recommendation_id": "r",
        "e.position": 3,
        "at": world_time(41),
    }


def test_the_same_records_twice_equal_once(world: GraphStore, connection: Connection) -> None:
    records = numbered(
        event("n1"),
        put("fresh", ("HAS_GENRE", "Genre:crime")),
        RelationDeleted(type="FOLLOWS", head_id="bob", tail_id="ann"),
    )
    world.apply(records)
    ask(connection, "CREATE (:User {id: 'mark'})")
    before = world.counts()
    world.apply(records)
    world.apply(numbered(event("n1"), event("n1"), first=4))  # the same event at other offsets
    assert world.counts() == before
    assert world.writer_offset() == 5


def test_records_up_to_the_stored_offset_are_not_applied_again(world: GraphStore) -> None:
    world.apply([(5, event("n1"))])
    world.apply([(4, event("n2")), (5, event("n3")), (6, event("n4"))])
    assert world.counts()["events"] == len(EVENTS) + 2  # n1 and n4
    assert world.writer_offset() == 6


def test_partitions_have_their_own_offsets(world: GraphStore) -> None:
    world.apply([(7, event("n1"))], partition="a")
    assert (world.writer_offset("a"), world.writer_offset()) == (7, 0)


def test_a_batch_that_fails_leaves_nothing(world: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_Batch, "_item_retired", stop)
    with pytest.raises(KeyboardInterrupt):
        world.apply(numbered(event("n1"), ItemRetired(item_id="heat")))
    assert (world.counts()["events"], world.writer_offset()) == (len(EVENTS), 0)


def test_an_event_makes_the_user_and_a_bare_item(world: GraphStore, connection: Connection) -> None:
    world.apply(numbered(event("n1", "nora", item_id="dune")))
    assert ask(connection, "MATCH (:User {id: 'nora'})-[:INTERACTED]->(i:Item) RETURN properties(i) AS p") == [
        {"p": {"id": "dune", "name": "dune", "item_kind": "item", "available": True}}
    ]


def test_an_item_is_replaced_whole_and_keeps_events_and_embedding(world: GraphStore, connection: Connection) -> None:
    ask(connection, "MATCH (i:Item {id: 'pulp'}) SET i.embedding = [1.0], i.embedding_version = 'v1'")
    world.apply(numbered(put("pulp", ("HAS_GENRE", "Genre:romance"), year=2001)))
    (row,) = ask(connection, "MATCH (i:Item {id: 'pulp'}) RETURN i {.*, created_at: i.created_at.epochMillis} AS p")
    assert row["p"] == {
        "id": "pulp",
        "name": "Pulp",
        "item_kind": "film",
        "available": True,
        "created_at": world_time(0),
        "year": 2001,  # and no tags any more
        "embedding": [1.0],
        "embedding_version": "v1",
    }
    assert outgoing(connection, "Item", "pulp") == {("HAS_GENRE", "Genre:romance")}
    assert world.counts()["events"] == len(EVENTS)
    assert degree(connection, "Genre:romance") == 1
    assert degree(connection, "Genre:crime") == 4
    assert degree(connection, "Actor:thurman") == 2


def test_the_last_of_several_puts_counts(world: GraphStore, connection: Connection) -> None:
    world.apply(numbered(put("new", ("HAS_GENRE", "Genre:crime")), put("new", ("HAS_GENRE", "Genre:action"), year=7)))
    assert outgoing(connection, "Item", "new") == {("HAS_GENRE", "Genre:action")}
    assert ask(connection, "MATCH (i:Item {id: 'new'}) RETURN i.year") == [{"i.year": 7}]


def test_a_relation_makes_the_entity_that_is_missing(world: GraphStore, connection: Connection) -> None:
    world.apply(numbered(put("new", ("HAS_GENRE", "Genre:western"), ("SEQUEL_OF", "later"))))
    assert ask(connection, "MATCH (e:Entity:Genre {id: 'Genre:western'}) RETURN e.name, e.degree") == [
        {"e.name": None, "e.degree": 1}
    ]
    world.apply(numbered(EntityPut(entity_id="Genre:western", name="western"), first=2))
    assert ask(connection, "MATCH (e:Genre {id: 'Genre:western'}) RETURN e.name") == [{"e.name": "western"}]
    assert ("SEQUEL_OF", "later") in outgoing(connection, "Item", "new")


def test_undeclared_types_are_left_out_and_counted(world: GraphStore, connection: Connection) -> None:
    left_out = world.apply(
        numbered(
            put("new", ("SHOT_IN", "Country:us"), ("HAS_GENRE", "Genre:crime")),
            EntityPut(entity_id="Country:us", name="USA"),
            RelationPut(type="SHOT_IN", head_id="new", tail_id="Country:us"),
            RelationDeleted(type="SHOT_IN", head_id="new", tail_id="Country:us"),
        )
    )
    assert left_out == 4
    assert outgoing(connection, "Item", "new") == {("HAS_GENRE", "Genre:crime")}
    assert world.writer_offset() == 4


def test_a_retired_item_keeps_its_history(world: GraphStore, connection: Connection) -> None:
    world.apply(numbered(ItemRetired(item_id="pulp"), ItemRetired(item_id="never-heard-of")))
    assert ask(
        connection, "MATCH (i:Item {id: 'pulp'})<-[e:INTERACTED]-() RETURN i.available, count(e) > 5 AS kept"
    ) == [{"i.available": False, "kept": True}]
    assert world.counts()["items"] == 12


def test_a_user_is_replaced_whole_and_keeps_events(world: GraphStore, connection: Connection) -> None:
    record = UserPut(
        user_id="bob",
        properties={"tags": ["x"]},
        relations=(RelationEnd(type="IN_AGE_BAND", entity_id="AgeBand:50-59"),),
        preferences=(RelationEnd(type="PREFERS", entity_id="Genre:crime", weight=3.0),),
        follows=("cid", "zoe"),
    )
    world.apply(numbered(record))
    assert ask(connection, "MATCH (u:User {id: 'bob'}) RETURN properties(u) AS p") == [
        {"p": {"id": "bob", "tags": ["x"]}}  # no country any more
    ]
    assert outgoing(connection, "User", "bob") == {
        ("IN_AGE_BAND", "AgeBand:50-59"),
        ("PREFERS", "Genre:crime"),
        ("FOLLOWS", "cid"),
        ("FOLLOWS", "zoe"),
    }
    assert ask(connection, "MATCH (:User {id: 'bob'})-[p:PREFERS]->() RETURN p.weight") == [{"p.weight": 3.0}]
    assert world.counts()["events"] == len(EVENTS)
    assert (degree(connection, "AgeBand:20-29"), degree(connection, "AgeBand:50-59")) == (2, 2)


def test_an_erased_user_is_gone_with_everything(world: GraphStore, connection: Connection) -> None:
    world.apply(numbered(UserErased(user_id="ann"), UserErased(user_id="never-heard-of")))
    mine = sum(user == "ann" for user, *_ in EVENTS)
    assert world.counts()["users"] == 7
    assert world.counts()["events"] == len(EVENTS) - mine
    assert ask(connection, "MATCH (:User {id: 'hal'})-[f:FOLLOWS]->() RETURN f") == []
    assert degree(connection, "AgeBand:20-29") == 2


def test_an_entity_is_deleted_with_its_relations(world: GraphStore, connection: Connection) -> None:
    world.apply(numbered(EntityDeleted(entity_id="Genre:crime")))
    assert world.counts()["entities"] == 11
    assert ("HAS_GENRE", "Genre:crime") not in outgoing(connection, "Item", "pulp")


def test_relations_are_put_and_deleted(world: GraphStore, connection: Connection) -> None:
    world.apply(
        numbered(
            RelationPut(type="PREFERS", head_id="gus", tail_id="Genre:action", weight=1.0),
            RelationPut(type="PREFERS", head_id="gus", tail_id="Genre:action", weight=0.5),
            RelationPut(type="HAS_GENRE", head_id="blank", tail_id="Genre:romance"),
            RelationDeleted(type="DIRECTED_BY", head_id="heat", tail_id="Director:mann"),
            RelationDeleted(type="FOLLOWS", head_id="hal", tail_id="ann"),
        )
    )
    assert ask(connection, "MATCH (:User {id: 'gus'})-[p:PREFERS]->() RETURN p.weight") == [{"p.weight": 0.5}]
    assert outgoing(connection, "Item", "blank") == {("HAS_GENRE", "Genre:romance")}
    assert ("DIRECTED_BY", "Director:mann") not in outgoing(connection, "Item", "heat")
    assert outgoing(connection, "User", "hal") == set()
    assert [degree(connection, entity) for entity in ("Genre:romance", "Director:mann", "Genre:action")] == [1, 0, 5]


def test_order_counts_between_records_of_different_types(world: GraphStore, connection: Connection) -> None:
    world.apply(
        numbered(
            RelationPut(type="HAS_GENRE", head_id="blank", tail_id="Genre:romance"),
            RelationDeleted(type="HAS_GENRE", head_id="blank", tail_id="Genre:romance"),
            ItemRetired(item_id="blank"),
            put("blank"),
            event("n1", "ivy"),
            UserErased(user_id="ivy"),
        )
    )
    assert outgoing(connection, "Item", "blank") == set()
    assert ask(connection, "MATCH (i:Item {id: 'blank'}) RETURN i.available") == [{"i.available": True}]
    assert ask(connection, "MATCH (u:User {id: 'ivy'}) RETURN u") == []


def test_nothing_to_apply_changes_nothing(world: GraphStore) -> None:
    version = world.graph_version()
    assert world.apply([]) == 0
    assert world.graph_version() == version


def test_a_graph_without_a_declaration_takes_no_records(store: GraphStore) -> None:
    with pytest.raises(GraphRefused, match="declares nothing"):
        store.apply(numbered(event("n1")))


def test_a_visitor_who_turned_out_to_be_a_user_leaves_everything_to_them_once(
    world: GraphStore, connection: Connection
) -> None:
    """eve has 9 events; fay prefers Tarantino with weight 2 and science fiction with weight 1."""
    stated = UserPut(
        user_id="ann", properties={}, preferences=(RelationEnd(type="PREFERS", entity_id="Genre:scifi", weight=5.0),)
    )
    merges = (UserMerged(user_id="ann", from_id="eve"), UserMerged(user_id="ann", from_id="fay"))
    records = numbered(stated, event("v1", "visitor"), *merges, UserMerged(user_id="new", from_id="visitor"))
    world.apply(records)
    world.apply(records)
    of_ann = len([one for one in EVENTS if one[0] in ("ann", "eve")])
    (row,) = ask(connection, "MATCH (:User {id: 'ann'})-[e:INTERACTED]->() RETURN count(DISTINCT e.event_id) AS n")
    assert row["n"] == of_ann
    (row,) = ask(connection, "MATCH ()-[e:INTERACTED]->() RETURN count(e) AS n")
    assert row["n"] == len(EVENTS) + 1
    assert ask(connection, "MATCH (u:User) WHERE u.id IN ['eve', 'fay', 'visitor'] RETURN u.id AS id") == []
    tastes = ask(
        connection, "MATCH (:User {id: 'ann'})-[p:PREFERS]->(e) RETURN e.id AS id, p.weight AS weight ORDER BY id"
    )
    assert [tuple(row.values()) for row in tastes] == [("Director:tarantino", 2.0), ("Genre:scifi", 5.0)]
    (row,) = ask(connection, "MATCH (:User {id: 'new'})-[e:INTERACTED]->(:Item {id: 'heat'}) RETURN e.event_id AS id")
    assert row["id"] == "v1"
