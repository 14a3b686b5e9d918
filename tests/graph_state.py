"""A real Neo4j brought to a known state between tests."""

from neo4j import GraphDatabase

from graph.server import Connection


def remove_nodes(connection: Connection) -> None:
    """No node is left. Constraints and indexes stay, for making them takes a second; vector indexes go."""
    _run(connection, "MATCH (node) DETACH DELETE node")
    for (name,) in _run(connection, "SHOW VECTOR INDEXES YIELD name"):
        _run(connection, f"DROP INDEX `{name}`")


def remove_everything(connection: Connection) -> None:
    """As a database that was just made."""
    remove_nodes(connection)
    for (name,) in _run(connection, "SHOW CONSTRAINTS YIELD name"):
        _run(connection, f"DROP CONSTRAINT `{name}`")
    for (name,) in _run(connection, "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
        _run(connection, f"DROP INDEX `{name}`")


def _run(connection: Connection, query: str) -> list[list[object]]:
    auth = (connection.username, connection.password)
    with GraphDatabase.driver(connection.uri, auth=auth, notifications_min_severity="OFF") as driver:
        return [record.values() for record in driver.execute_query(query, database_="neo4j").records]
