"""Small real servers for tests, and plain questions to them."""

import os
from pathlib import Path

from neo4j import GraphDatabase

from graph import java
from graph.server import Connection, ServerConfig
from tests.ports import free_port

API_PORT = free_port()
GUIDE = f"http://127.0.0.1:{API_PORT}/guides/start.html"  # what the test server's Browser opens: see test_browser.py


def quick_java(home: Path) -> Path:
    """A JAVA_HOME whose `java` is the usual one in a hurry: it compiles once, and trusts jars whose sums are known."""
    own = os.environ.get("JAVA_HOME")
    usual = java.find_java(Path(own) if own else None)
    quick = home / "bin" / "java"
    quick.parent.mkdir(parents=True)
    flags = "-XX:TieredStopAtLevel=1 -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
    quick.write_text(f'#!/bin/sh\nexec "{usual.executable}" {flags} "$@"\n')
    quick.chmod(0o755)
    (home / "release").write_text(f'JAVA_VERSION="{usual.version}"\n')
    return home


def small_server(home: Path) -> ServerConfig:
    """A server on free ports that leaves memory to others."""
    own = os.environ.get("JAVA_HOME")
    return ServerConfig(
        home,
        bolt_port=free_port(),
        http_port=free_port(),
        heap="512m",
        page_cache="64m",
        start_timeout_s=180,
        java_home=Path(own) if own else None,
        guide_url=GUIDE,
    )


def ask(connection: Connection, query: str, database: str = "neo4j") -> list[dict[str, object]]:
    """The rows of one query, without any of our own code between."""
    auth = (connection.username, connection.password)
    with GraphDatabase.driver(connection.uri, auth=auth, notifications_min_severity="OFF") as driver:
        return [record.data() for record in driver.execute_query(query, database_=database).records]


def language(connection: Connection) -> object:
    """The language in which the database reads a query that does not say."""
    (row,) = ask(connection, "SHOW DATABASE neo4j YIELD defaultLanguage AS language", "system")
    return row["language"]
