"""Loading and asking the real Neo4j."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from domain.declarations import Declaration, EntityType, EventKind
from domain.errors import GraphRefused, GraphUnavailable, UnsupportedServer
from domain.progress import Silent
from domain.tables import Dataset
from graph import online
from graph.driver import Driver
from graph.server import Connection
from graph.store import GraphStore, LoadState
from tests.graph_state import remove_everything
from tests.ports import free_port
from tests.servers import ask
from tests.world import DECLARATION, EVENTS, RELATIONS, world_dataset


def test_the_version_is_told(store: GraphStore) -> None:
    assert store.verify().startswith("20")


def test_an_old_server_is_refused_by_its_version(store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.store.OLDEST_VERSION", (9999, 1))
    with pytest.raises(UnsupportedServer, match=r"is Neo4j 20\d\d\."):
        store.verify()


def test_a_server_that_does_not_answer_is_unavailable() -> None:
    with GraphStore(f"bolt://127.0.0.1:{free_port()}", "neo4j", "password") as store:
        with pytest.raises(GraphUnavailable, match="clew up"):
            store.verify()
        with pytest.raises(GraphUnavailable):
            store.rows("read/counts", {})


def test_a_wrong_password_is_refused(connection: Connection) -> None:
    with GraphStore(connection.uri, "neo4j", "wrong-password") as store, pytest.raises(GraphRefused, match="password"):
        store.verify()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(GraphRefused, match="NEO4J_URI"):
        GraphStore("http://127.0.0.1", "neo4j", "password")


def test_a_graph_without_nodes_is_empty_whatever_notes_it_has(store: GraphStore) -> None:
    assert store.is_empty()
    store.install_schema(DECLARATION)
    assert store.is_empty()
    assert store.declaration() == DECLARATION
    store.load(world_dataset())
    assert not store.is_empty()


def test_the_schema_makes_ids_and_event_ids_unique(connection: Connection) -> None:
    remove_everything(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        assert store.declaration() is None
        store.install_schema(DECLARATION)
        store.install_schema(DECLARATION)
    found = {str(row["name"]) for row in ask(connection, "SHOW CONSTRAINTS YIELD name")}
    rules = {"rule_id", "rule_version_id"}
    assert found == {"user_id", "item_id", "entity_id", "model_version", "clew_id", "event_id"} | rules
    (names,) = ask(connection, "SHOW FULLTEXT INDEXES YIELD labelsOrTypes, properties, state")
    assert (sorted(names["labelsOrTypes"]), names["properties"], names["state"]) == (
        ["Entity", "Item"],
        ["name"],
        "ONLINE",
    )


def test_a_loaded_world_is_in_the_graph(world: GraphStore, connection: Connection) -> None:
    relations = sum(len(pairs) for pairs in RELATIONS.values())
    assert world.counts() == {
        "users": 8,
        "items": 12,
        "entities": 12,
        "events": len(EVENTS),
        "relationships": len(EVENTS) + relations,
    }
    assert ask(connection, "MATCH (n:Entity:Director {id: 'Director:tarantino'}) RETURN n.name, n.degree") == [
        {"n.name": "Quentin Tarantino", "n.degree": 6}  # five films, and fay's taste
    ]
    assert ask(connection, "MATCH (n:Entity {id: 'Actor:x1'}) RETURN n.name, n.degree") == [
        {"n.name": None, "n.degree": 2}
    ]
    assert ask(connection, "MATCH (:User {id: 'fay'})-[p:PREFERS]->(e) RETURN e.id, p.weight ORDER BY e.id") == [
        {"e.id": "Director:tarantino", "p.weight": 2.0},
        {"e.id": "Genre:scifi", "p.weight": 1.0},
    ]
    (pulp,) = ask(connection, "MATCH (i:Item {id: 'pulp'}) RETURN properties(i) AS p, i.created_at.epochMillis AS at")
    assert pulp["at"] == 1_577_836_800_000
    assert {key: value for key, value in dict(pulp["p"]).items() if key != "created_at"} == {
        "id": "pulp",
        "name": "Pulp Fiction",
        "item_kind": "film",
        "available": True,
        "year": 1994,
        "tags": ["cult", "90s"],
    }


def test_an_event_is_stored_with_its_time_in_utc(world: GraphStore, connection: Connection) -> None:
    (first,) = ask(
        connection,
        "MATCH (u:User)-[e:INTERACTED {event_id: 'e01'}]->(i:Item) RETURN u.id, i.id, e.kind, e.value, e.session_id, "
        "e.at = datetime('2020-01-02T00:00:00Z') AS same, valueType(e.at) AS type",
    )
    assert first == {
        "u.id": "ann",
        "i.id": "pulp",
        "e.kind": "rate",
        "e.value": 5.0,
        "e.session_id": "s-ann",
        "same": True,
        "type": "ZONED DATETIME NOT NULL",
    }


def test_loading_twice_changes_nothing(world: GraphStore, connection: Connection) -> None:
    before, everything = world.counts(), ask(connection, "MATCH (n) RETURN properties(n) AS p ORDER BY n.id")
    world.load(world_dataset())
    assert world.counts() == before
    assert ask(connection, "MATCH (n) RETURN properties(n) AS p ORDER BY n.id") == everything


def test_loading_again_renews_properties_and_keeps_what_others_wrote(world: GraphStore, connection: Connection) -> None:
    ask(connection, "MATCH (i:Item {id: 'pulp'}) SET i.embedding = [1.0, 0.0], i.year = 1")
    world.load(world_dataset())
    assert ask(connection, "MATCH (i:Item {id: 'pulp'}) RETURN i.embedding, i.year") == [
        {"i.embedding": [1.0, 0.0], "i.year": 1994}
    ]


def test_an_interrupted_load_is_known_and_completed(store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = world_dataset()
    assert store.load_state() is None
    with monkeypatch.context() as patch:
        patch.setattr(online, "_events", _stop)
        with pytest.raises(KeyboardInterrupt):
            store.load(dataset)
    assert store.load_state() == LoadState("world", "loading", store.load_state().fingerprint)  # type: ignore[union-attr]
    assert not store.is_loaded(dataset)
    store.load(dataset)
    assert store.is_loaded(dataset)
    assert store.counts()["events"] == len(EVENTS)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_data_set_with_one_other_value_is_not_the_loaded_one(world: GraphStore) -> None:
    dataset = world_dataset()
    values = dataset.events.values.copy()
    values[0] = 4.5
    assert world.is_loaded(dataset)
    assert not world.is_loaded(replace(dataset, events=replace(dataset.events, values=values)))


def test_two_sources_are_declared_side_by_side(world: GraphStore) -> None:
    other = Declaration(
        name="shop",
        entity_types=(EntityType(label="Brand", noun="brand", description="Who makes a product."),),
        event_kinds=(EventKind(name="view", verb="looked at", description="Opened a page.", weight=0.1),),
    )
    world.install_schema(other)
    both = world.declaration()
    assert both is not None
    assert [kind.label for kind in both.entity_types] == ["Brand", "Director", "Actor", "Genre", "AgeBand"]
    assert both.relation_types == DECLARATION.relation_types
    assert [kind.weight for kind in both.event_kinds if kind.name == "view"] == [0.1]
    assert len(both.event_kinds) == len(DECLARATION.event_kinds)


def test_batches_give_the_same_graph_as_one_go(store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "BATCH", 7)
    store.load(world_dataset())
    relations = sum(len(pairs) for pairs in RELATIONS.values())
    assert store.counts()["relationships"] == len(EVENTS) + relations


def test_rows_are_plain_python(world: GraphStore) -> None:
    (row,) = world.rows("read/marker", {"id": "load"})
    assert row["properties"] == {
        "id": "load",
        "source": "world",
        "state": "complete",
        "fingerprint": world.load_state().fingerprint,  # type: ignore[union-attr]
    }


def test_a_statement_that_writes_is_refused_as_a_question(world: GraphStore) -> None:
    with pytest.raises(GraphRefused, match=r"(?i)writ"):
        world.rows("write/ensure_users", {"ids": ["nobody"]})
    assert world.counts()["users"] == 8


def test_a_question_that_takes_too_long_is_ended(world: GraphStore, connection: Connection) -> None:
    driver = Driver(connection.uri, connection.username, connection.password)
    slow = "UNWIND range(1, 1000000000) AS n RETURN sum(n * sqrt(n)) AS total"
    with pytest.raises(GraphRefused, match=r"(?i)time"):
        driver.rows(slow, {}, timeout_s=0.3)
    driver.close()


def test_times_come_back_aware(connection: Connection) -> None:
    driver = Driver(connection.uri, connection.username, connection.password)
    (row,) = driver.rows(
        "RETURN datetime('2020-01-02T03:04:05.678Z') AS at, [date('2020-01-02')] AS days", {}, timeout_s=5
    )
    driver.close()
    assert row["at"] == datetime(2020, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert str(row["days"]) == "[datetime.date(2020, 1, 2)]"


def test_the_graph_version_changes_with_every_write_and_with_nothing_else(
    world: GraphStore, connection: Connection
) -> None:
    versions = [world.graph_version()]
    world.counts()
    assert world.graph_version() == versions[0]
    for query in (
        "MATCH (u:User {id: 'hal'}) SET u.country = 'BE'",  # by hand, as in Neo4j Browser
        "MATCH (u:User {id: 'hal'}) SET u.country = 'NL'",
        "MATCH (u:User {id: 'hal'}) DETACH DELETE u",
        "CREATE (:User {id: 'hal'})",
    ):
        ask(connection, query)
        versions.append(world.graph_version())
    assert len(set(versions)) == 5


def test_many_threads_may_ask_one_store(world: GraphStore) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: world.counts()["users"], range(40)))
    assert counts == [8] * 40


def test_embeddings_are_written_and_found_by_nearness(world: GraphStore, connection: Connection) -> None:
    items, entities = _vectors({"pulp": (1, 0), "dogs": (0.8, 0.6), "alien": (0, 1), "gone": (1, 0)})
    genres, vectors = _vectors({"Genre:crime": (1, 0), "Genre:scifi": (0, 1)})
    for version in ("v1", "v1", "v2"):  # twice equals once; a newer one takes the older one's place
        world.write_embeddings(version, items, entities, genres, vectors, {"ndcg": 0.25})
    near = ask(
        connection,
        "CYPHER 25 MATCH (i:Item) SEARCH i IN (VECTOR INDEX item_embedding FOR [1.0, 0.0] LIMIT 3) SCORE AS s "
        "RETURN i.id AS id, i.embedding_version AS version, s ORDER BY s DESC",
    )
    assert [(row["id"], row["version"]) for row in near] == [("pulp", "v2"), ("dogs", "v2"), ("alien", "v2")]
    assert [row["s"] for row in near] == pytest.approx([(1 + 1) / 2, (1 + 0.8) / 2, (1 + 0) / 2], abs=1e-3)
    models = ask(
        connection, "MATCH (m:Model) RETURN m.version, m.metrics, m.trained_at IS NOT NULL AS dated ORDER BY 1"
    )
    models.sort(key=lambda row: str(row["m.version"]))
    assert [row["m.version"] for row in models] == ["v1", "v2"]
    assert models[0] == {"m.version": "v1", "m.metrics": '{"ndcg":0.25}', "dated": True}
    assert world.counts()["items"] == 12  # no node is made for an item that is not there


def test_a_model_with_other_dimensions_gets_another_index(world: GraphStore, connection: Connection) -> None:
    ids, vectors = _vectors({"pulp": (1, 0), "dogs": (0, 1)})
    wide_ids, wide = _vectors({"pulp": (1, 0, 0)})
    nobody: list[str] = []
    world.write_embeddings("v1", ids, vectors, nobody, np.zeros((0, 2), np.float32), {})
    world.write_embeddings("v2", wide_ids, wide, nobody, np.zeros((0, 3), np.float32), {})
    (index,) = ask(connection, "SHOW VECTOR INDEXES YIELD name, options RETURN name, options.indexConfig AS config")
    assert (index["name"], index["config"]["vector.dimensions"]) == ("item_embedding", 3)
    assert ask(connection, "MATCH (i:Item) WHERE i.embedding IS NOT NULL RETURN i.id, i.embedding_version") == [
        {"i.id": "pulp", "i.embedding_version": "v2"}  # dogs has no vector of this version any more
    ]


def _vectors(table: dict[str, tuple[float, ...]]) -> tuple[list[str], np.ndarray]:
    return list(table), np.array(list(table.values()), dtype=np.float32)


def test_an_empty_data_set_loads(store: GraphStore) -> None:
    whole = world_dataset()
    dataset = Dataset(
        name="nothing",
        declaration=DECLARATION,
        users=replace(whole.users, ids=whole.users.ids[:0], properties={}),
        items=replace(whole.items, ids=whole.items.ids[:0], properties={}),
        entities=(),
        relations=(),
        events=replace(
            whole.events,
            **{
                name: getattr(whole.events, name)[:0]
                for name in ("event_ids", "user_ids", "item_ids", "kinds", "values", "at", "session_ids")
            },
        ),
    )
    assert store.load(dataset, Silent()) == {"users": 0, "items": 0, "entities": 0, "relations": 0, "events": 0}
    assert store.is_empty()
