"""An analyst's own Cypher: what it is answered with, and everything that it may not do."""

import math
from collections.abc import Iterator

import pytest

from domain.errors import InvalidQuery, Position, QueryRefused, QueryTooCostly
from domain.graph_answers import GraphAnswer
from graph.query_text import check_text
from graph.server import Connection, ServerConfig
from graph.store import GraphStore
from tests.graph_state import remove_nodes
from tests.world import world_dataset


@pytest.fixture(scope="module")
def world(server: tuple[ServerConfig, Connection]) -> Iterator[GraphStore]:
    """The hand-written world, loaded once: nothing here changes it."""
    _, connection = server
    remove_nodes(connection)
    with GraphStore(connection.uri, connection.username, connection.password) as store:
        store.load(world_dataset())
        yield store
    remove_nodes(connection)


def ask(store: GraphStore, text: str, limit: int = 100, timeout_s: float = 20, **parameters: object) -> GraphAnswer:
    return store.query(text, parameters, limit=limit, timeout_s=timeout_s)


def value(store: GraphStore, expression: str) -> object:
    ((found,),) = ask(store, f"RETURN {expression} AS value").rows
    return found


def test_rows_come_in_the_order_of_the_query_with_its_columns(world: GraphStore) -> None:
    text = "MATCH (item:Item)-[:DIRECTED_BY]->({id: $id}) RETURN item.id AS id, item.year AS year ORDER BY year"
    answer = ask(world, text, id="Director:scott")
    assert answer.columns == ("id", "year")
    assert answer.rows == (("alien", 1979), ("blade", 1982), ("thelma", 1991))
    assert not answer.truncated


def test_rows_beyond_the_limit_are_left_out_and_it_says_so(world: GraphStore) -> None:
    answer = ask(world, "UNWIND range(1, 1000000) AS x RETURN x", limit=3)
    assert (answer.rows, answer.truncated) == (((1,), (2,), (3,)), True)
    assert not ask(world, "UNWIND [1, 2, 3] AS x RETURN x", limit=3).truncated


def test_nodes_relationships_and_paths_are_objects(world: GraphStore) -> None:
    text = "MATCH path = (item:Item {id: 'heat'})-[made:DIRECTED_BY]->(director) RETURN item, made, path"
    ((item, made, path),) = ask(world, text).rows
    assert (item["$type"], item["labels"], item["properties"]["name"]) == ("node", ["Item"], "Heat")
    assert (made["$type"], made["type"], made["start"]) == ("relationship", "DIRECTED_BY", item["element_id"])
    assert made["end"] == path["nodes"][1]["element_id"]
    assert (path["$type"], path["nodes"][0], path["relationships"]) == ("path", item, [made])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("datetime('2020-01-02T03:04:05.006Z')", "2020-01-02T03:04:05.006000000+00:00"),
        ("date('2020-01-02')", "2020-01-02"),
        ("localtime('03:04')", "03:04:00.000000000"),
        ("duration('P1M2DT3S')", "P1M2DT3S"),
        ("point({x: 1, y: 2})", {"$type": "point", "srid": 7203, "x": 1.0, "y": 2.0}),
        ("point({longitude: 4.5, latitude: 52})", {"$type": "point", "srid": 4326, "x": 4.5, "y": 52.0}),
        ("[0.0 / 0.0, 1.0 / 0.0, -1.0 / 0.0]", ["NaN", "Infinity", "-Infinity"]),
        ("{a: 1, b: [true, null, 'x']}", {"a": 1, "b": [True, None, "x"]}),
        ("vector([1, 2], 2, INTEGER8)", [1, 2]),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_values_that_json_has_not_have_a_form(world: GraphStore, expression: str, expected: object) -> None:
    assert value(world, expression) == expected


def test_an_embedding_is_shown_only_when_it_is_asked_for(world: GraphStore) -> None:
    import numpy as np

    world.write_embeddings("v1", ["heat"], np.ones((1, 2), np.float32), [], np.ones((0, 2), np.float32), {})
    ((node, vector),) = ask(world, "MATCH (item:Item {id: 'heat'}) RETURN item, item.embedding").rows
    assert "embedding" not in node["properties"]
    assert [math.isclose(part, 1.0) for part in vector] == [True, True]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE (:User {id: 'x'})",
        "MATCH (item:Item) SET item.name = 'x'",
        "MATCH (n) DETACH DELETE n",
        "CALL db.createLabel('Zed')",
        "CREATE INDEX x FOR (n:Item) ON n.year",
        "DROP CONSTRAINT item_id",
        "CREATE USER eve SET PASSWORD 'abcdefgh'",
        "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'abcdefgh'",
        "MATCH (n:Item) CALL (n) { SET n.x = 1 } IN TRANSACTIONS",
        "LOAD CSV FROM 'file:///etc/passwd' AS row RETURN row",
        "MATCH (n:Item) CALL (n) { LOAD CSV FROM 'http://127.0.0.1/x' AS row RETURN row } RETURN row",
        "SHOW TRANSACTIONS",
        "SHOW SETTINGS",
        "SHOW USERS",
        "SHOW DATABASES",
        "TERMINATE TRANSACTION 'neo4j-transaction-1'",
        "USE system CALL dbms.components() YIELD name RETURN name",
        "USE system SHOW USERS",
        "CALL dbms.listConfig()",
        "CALL dbms.killConnection('bolt-1')",
        "CALL db.clearQueryCaches()",
        "CALL apoc.load.json('file:///x') YIELD value RETURN value",
        "RETURN apoc.cypher.runFirstColumnSingle('RETURN 1', {})",
        "RETURN `apoc` . `cypher`.run ('x')",
        "RETURN genai.vector.encode('x', 'y', {})",
        "EXPLAIN CREATE (:User)",
        "PROFILE CREATE (:User)",
        "/* a */ // b\n PROFILE MATCH (n) DETACH DELETE n",
        "PROFILE RETURN 1",
        "CREATE/**/(:User {id: 'x'})",
        "// RETURN 1\nMERGE (:User {id: 'x'})",
        "INSERT (:User)",
        "FOREACH (x IN [1] | CREATE (:User))",
        "RETURN 1 AS x NEXT CREATE (:User)",
        "WHEN true THEN CREATE (:User)",
        "RETURN COLLECT { CREATE (:User) RETURN 1 }",
        "CYPHER 5 CREATE (:User)",
        "CYPHER runtime=slotted CREATE (:User)",
        r"\u0043REATE (:User)",
        r"CYPHER 5 RETURN '\u0027 CREATE (:User) //'",
        "RETURN 1; CREATE (:User)",
        "MATCH (n:Item) CALL (n) { SET n.x = 1 } IN 2 CONCURRENT TRANSACTIONS OF 1 ROW",
        "MATCH (n:Item) CALL (n) { RETURN 1 AS x } IN TRANSACTIONS RETURN x",
        "load/**/csv from 'file:///etc/passwd' as row return row",
        "LOAD CSV WITH HEADERS FROM $url AS row RETURN row",
        "RETURN COLLECT { LOAD CSV FROM 'file:///x' AS row RETURN row }",
        "CALL () { USE system RETURN 1 AS x } RETURN x",
        "USE graph.byName('system') RETURN 1 AS x",
        "show/**/indexes",
        "SHOW CURRENT USER",
        "SHOW PROCEDURES YIELD name RETURN name",
        "RENAME USER neo4j TO eve",
        "DROP DATABASE neo4j",
        "CALL `dbms`.`listConfig`()",
        "CALL/**/dbms . listConfig()",
        "CALL tx.setMetaData({a: 1})",
        "CALL db.awaitIndexes()",
        "RETURN apoc/**/.load/**/.json('file:///x')",
        "RETURN apoc.load // a\n .json('file:///x')",
        "RETURN // call\n apoc.load.json('file:///x')",
        "RETURN `apoc.load.json`('file:///x')",
        ":play start",
        "BEGIN",
    ],
)
def test_nothing_but_reading_this_graph_is_allowed(world: GraphStore, text: str) -> None:
    before = world.counts()
    with pytest.raises(InvalidQuery) as caught:
        ask(world, text, url="file:///etc/passwd")
    assert caught.value.code in ("query_refused", "invalid_query")
    assert world.counts() == before


def test_a_refusal_says_what_is_not_allowed(world: GraphStore) -> None:
    with pytest.raises(QueryRefused, match=r"procedure dbms\.listConfig is not allowed; allowed: db\.index"):
        ask(world, "CALL dbms.listConfig()")
    with pytest.raises(QueryRefused, match="leave USE out"):
        ask(world, "USE system CALL dbms.components() YIELD name RETURN name")
    with pytest.raises(QueryRefused, match="LOAD CSV reads files"):
        ask(world, "LOAD CSV FROM 'file:///x' AS row RETURN row")
    with pytest.raises(QueryRefused, match=r"function apoc\.text\.join is not allowed") as caught:
        ask(world, "RETURN 1,\n  apoc.text.join([])")
    assert caught.value.position == Position(2, 3, 12)


@pytest.mark.parametrize("gap", ["/*x*/ .", " // call\n.", "`.`", ".`", "./**/"])
def test_a_function_of_a_plugin_is_found_however_it_is_written(gap: str) -> None:
    """By its text: the server of this run has no plugins, so that its plan would say nothing of them."""
    closing = "`" if gap.endswith("`") else ""
    opening = "`" if gap.startswith("`") else ""
    for before in ("RETURN ", "RETURN // call\n ", "RETURN /* call */ "):
        with pytest.raises(QueryRefused, match=r"function apoc\.load is not allowed"):
            check_text(f"{before}{opening}apoc{gap}load{closing}('x')")


@pytest.mark.parametrize("call", ["CALL /*x*/ db.labels()", "OPTIONAL CALL db.labels() YIELD label RETURN label"])
def test_a_procedure_that_is_allowed_may_be_called_in_any_form(world: GraphStore, call: str) -> None:
    assert ("User",) in ask(world, call).rows


def test_procedures_that_search_and_describe_are_allowed(world: GraphStore) -> None:
    assert ("User",) in ask(world, "CALL db.labels()").rows
    text = "CALL db.index.fulltext.queryNodes('names', 'blade') YIELD node RETURN node.id"
    assert ask(world, text).rows == (("blade",),)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("MATCH (n RETURN n", Position(1, 10, 9)),
        ("MATCH (n:Item)\nRETURN m", Position(2, 8, 22)),
        ("RETURN '😀' AS a, m", Position(1, 18, 17)),
        ("RETURN 1; RETURN 2", None),
        ("RETURN 1 / 0", None),
        ("RETURN $absent", None),
        ("RETURN date('foo')", None),
        ("// nothing", None),
        ("RETURN date('-999999999-01-01')", None),
    ],
)
def test_a_mistake_is_named_with_its_place(world: GraphStore, text: str, position: Position | None) -> None:
    with pytest.raises(InvalidQuery) as caught:
        ask(world, text)
    assert caught.value.position == position
    assert "CYPHER 25" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_number_that_does_not_fit_is_named(world: GraphStore) -> None:
    with pytest.raises(InvalidQuery, match="64 bits"):
        ask(world, "RETURN $x", x=2**70)


@pytest.mark.parametrize(
    "given",
    [
        {"a": [1, "b", None, {"c": [1.5]}]},
        [[], {}, "\x00", "`", "$x", "'; MATCH (n) DETACH DELETE n //"],
        -(2**63),
        {"a b`c": {"": True}},
    ],
)
def test_a_parameter_of_any_form_is_a_value_and_nothing_else(world: GraphStore, given: object) -> None:
    assert ask(world, "RETURN $x AS x", x=given).rows == ((given,),)


def test_a_text_that_is_none_is_named(world: GraphStore) -> None:
    with pytest.raises(InvalidQuery, match="surrogate"):
        ask(world, "RETURN $x", x="\ud800")
    with pytest.raises(InvalidQuery, match="surrogate"):
        ask(world, "RETURN '\ud800'")


@pytest.mark.parametrize(
    "text",
    [
        "MATCH p = (a)-[*]-(b) RETURN count(p)",
        "UNWIND range(1, 100000000) AS x WITH collect(x) AS xs RETURN size(xs)",
        "MATCH " + ", ".join(f"(n{place})--(m{place})" for place in range(300)) + " RETURN 1",  # it is planned for ever
    ],
)
def test_a_query_that_would_take_all_there_is_is_ended(world: GraphStore, text: str) -> None:
    with pytest.raises(QueryTooCostly):
        ask(world, text, timeout_s=0.5)


def test_ten_million_rows_are_as_many_as_the_limit(world: GraphStore) -> None:
    answer = ask(world, "UNWIND range(1, 10000000) AS x RETURN x", limit=2)
    assert (answer.rows, answer.truncated) == (((1,), (2,)), True)


def test_a_query_that_runs_too_long_is_ended(world: GraphStore) -> None:
    with pytest.raises(QueryTooCostly, match="ran out of time"):
        ask(world, "UNWIND range(1, 1000000000) AS x RETURN count(x)", timeout_s=0.5)


def test_an_answer_that_is_too_large_is_refused(world: GraphStore) -> None:
    with pytest.raises(QueryTooCostly, match="more than 2,000,000 values"):
        ask(world, "RETURN range(1, 2000001)")


@pytest.mark.parametrize(
    "text",
    [
        "RETURN " + "(" * 101 + "1" + ")" * 101,
        "RETURN " + "[" * 5000 + "]" * 5000,
        "RETURN " + "+".join(["1"] * 1002),
        "RETURN true" + " OR false" * 1001,
        "RETURN " + "NOT " * 1001 + "true",
        "RETURN '" + "x" * 20_000 + "'",
    ],
)
def test_a_text_that_would_overflow_the_server_is_not_sent(text: str) -> None:
    with pytest.raises(QueryTooCostly):
        check_text(text)


def test_the_longest_chain_that_is_allowed_is_answered(world: GraphStore) -> None:
    assert value(world, "+".join(["1"] * 1000)) == 1000
    assert value(world, "(" * 100 + "1" + ")" * 100) == 1


def test_brackets_and_names_in_texts_and_comments_do_not_count() -> None:
    check_text("RETURN '" + "(" * 500 + "' /* " + "[" * 500 + " apoc.x() */ // apoc.y()\n AS `(((apoc.z(`")


def test_an_escape_outside_a_text_could_hide_a_name_and_is_refused() -> None:
    with pytest.raises(InvalidQuery, match="escapes"):
        check_text(r"RETURN ap\u006fc.load.x()")
