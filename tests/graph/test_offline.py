"""The offline import replaces the database, keeps users and language, and is known when it did not finish."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.errors import StartFailed
from graph import offline
from graph.server import ServerConfig, admin, doctor, down, up
from tests.servers import ask, language, small_server

USERS = 'id:ID(User),name,age:long\nu1,"Ann, ""A""\nBee",3\nu2,é,\n'
ITEMS = "id:ID(Item),name\ni1,Heat\ni2,Ran\n"
EVENTS = (
    ":START_ID(User),:END_ID(Item),event_id,at:datetime\nu1,i1,e1,2026-01-01T00:00:00Z\nu2,i2,e2,2026-01-02T00:00:00Z\n"
)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerConfig]:
    found = small_server(tmp_path_factory.mktemp("import"))
    yield found
    down(found)


def load(config: ServerConfig, folder: Path, *, events: str = EVENTS) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in (("users", USERS), ("items", ITEMS), ("events", events)):
        (folder / f"{name}.csv").write_text(text)
    offline.import_csv(
        config,
        [("User", folder / "users.csv"), ("Item:Entity", folder / "items.csv")],
        [("INTERACTED", folder / "events.csv")],
    )


def test_an_import_into_a_fresh_home_and_a_wipe_keep_language_and_password(
    config: ServerConfig, tmp_path: Path
) -> None:
    offline.begin_import(config)
    load(config, tmp_path / "odd (name)+ é")
    found = up(config)
    assert ask(found, "MATCH (n) RETURN labels(n) AS labels, count(*) AS n ORDER BY n, labels") == [
        {"labels": ["Item", "Entity"], "n": 2},
        {"labels": ["User"], "n": 2},
    ]
    assert ask(found, "MATCH (u)-[e:INTERACTED]->(i) RETURN u.id AS u, i.id AS i, e.event_id AS e ORDER BY e") == [
        {"u": "u1", "i": "i1", "e": "e1"},
        {"u": "u2", "i": "i2", "e": "e2"},
    ]
    assert ask(found, "MATCH (u:User) RETURN u.name AS name, u.age AS age ORDER BY u.id") == [
        {"name": 'Ann, "A"\nBee', "age": 3},
        {"name": "é", "age": None},
    ]
    assert language(found) == "CYPHER 25"
    down(config)

    offline.wipe(config)
    assert up(config) == found
    assert ask(found, "MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
    assert language(found) == "CYPHER 25"


def test_an_import_is_incomplete_until_it_is_confirmed(config: ServerConfig, tmp_path: Path) -> None:
    down(config)
    with pytest.raises(StartFailed, match="referring to missing node i9"):
        load(config, tmp_path, events=":START_ID(User),:END_ID(Item)\nu1,i9\n")
    assert offline.import_incomplete(config)
    finding = next(check for check in doctor(config) if check.name == "data")
    assert "did not finish" in finding.detail

    offline.wipe(config)
    load(config, tmp_path)
    assert offline.import_incomplete(config)
    offline.finish_import(config)
    offline.finish_import(config)
    assert not offline.import_incomplete(config)


def test_a_wrong_call_of_the_administration_tool_shows_its_complaint(config: ServerConfig) -> None:
    down(config)
    with pytest.raises(StartFailed, match="Unmatched argument at index 1: 'nonsense'"):
        admin(config, "database", "nonsense")
