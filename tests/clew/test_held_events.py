"""Events that were held for items and users count once, when a bulk load brings those while servers run."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from clew.settings import Settings
from clew.wiring import connection_of
from graph.server import Connection, ServerConfig
from tests.clew.processes import Commands, client_of, is_ready, loaded, until
from tests.servers import ask
from tests.world import world_dataset

HOLD = {"CLEW_EVENTS_UNKNOWN_ITEMS": "hold", "CLEW_EVENTS_UNKNOWN_USERS": "hold"}
MAPPING = """
[source]
name = "more"

[[items]]
file = "items.csv"
id = "id"
name = "name"

[[users]]
file = "users.csv"
id = "id"

[[events]]
file = "orders.csv"
user = "user"
item = "item"
at = "at"
kind = "purchase"
key = ["user", "item"]
"""
RDF_MAPPING = """
[source]
name = "more"

[[items]]
class = "schema:Movie"
base = "https://example.org/film/"
kind = "film"
name = "schema:name"
"""
RDF = '<https://example.org/film/rdffilm> a <https://schema.org/Movie> ; <https://schema.org/name> "A Film" .'
WAITING = (("ann", "tablefilm"), ("ann", "rdffilm"), ("newcomer", "pulp"))
COUNTED = "MATCH (u:User)-[e:INTERACTED]->(i:Item) WHERE e.event_id STARTS WITH 'held' RETURN u.id AS u, i.id AS i"


@pytest.fixture
def settings(server: tuple[ServerConfig, Connection], tmp_path: Path) -> Iterator[Settings]:
    with loaded(tmp_path / "home", world_dataset(), server[1]) as made:
        yield made


def sources(folder: Path) -> None:
    (folder / "more.toml").write_text(MAPPING)
    (folder / "items.csv").write_text("id,name\ntablefilm,A Film\n")
    (folder / "users.csv").write_text("id\nnewcomer\n")
    (folder / "orders.csv").write_text("user,item,at\nbob,tablefilm,2020-03-01T12:00:00Z\n")
    (folder / "films.toml").write_text(RDF_MAPPING)
    (folder / "films.ttl").write_text(RDF)


def test_a_load_of_tables_and_one_of_rdf_release_what_was_held(settings: Settings, tmp_path: Path) -> None:
    sources(tmp_path)
    with contextlib.ExitStack() as running:
        clew = Commands(settings, tmp_path / "out", running, **HOLD)
        clew.start("serve")
        client = client_of(settings, running)
        until(lambda: is_ready(client), clew)
        events = [
            {"event_id": f"held{number}", "user_id": user_id, "item_id": item_id, "kind": "purchase"}
            for number, (user_id, item_id) in enumerate(WAITING)
        ]
        assert client.post("/v1/events", json=events).json()["held"] == 3

        clew.told("ingest", "table", "more.toml")
        connection = connection_of(settings)
        until(lambda: len(ask(connection, COUNTED)) == 2, clew)
        clew.told("ingest", "rdf", "films.ttl")
        until(lambda: len(ask(connection, COUNTED)) == 3, clew)

        assert {(row["u"], row["i"]) for row in ask(connection, COUNTED)} == set(WAITING)
        assert client.get("/v1/users/newcomer").json()["events"] == 1
        assert client.post("/v1/events", json=events).json()["duplicated"] == 3
        assert 'clew_dead_letters{code="held' not in client.get("/metrics").text
    assert "Traceback" not in (tmp_path / "out").read_text()
