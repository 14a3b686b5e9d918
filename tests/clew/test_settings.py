"""Settings: every one known, described and checked; an unknown one refused with the nearest name."""

from pathlib import Path

import pytest

from api.keys import new_key
from clew.settings import (
    Settings,
    environment_name,
    environment_names,
    is_loopback,
    load_settings,
    require_safe_bind,
)
from domain.errors import InvalidSettings


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in environment_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_without_anything_set_the_defaults_hold() -> None:
    settings = load_settings()
    assert (settings.home, settings.host, settings.port) == (Path(".clew"), "127.0.0.1", 8080)
    assert settings.api_url == "http://127.0.0.1:8080"
    assert settings.keys == ()
    config = settings.server_config
    assert (config.home, config.bolt_port, config.http_port) == (Path(".clew"), 17687, 17474)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("CLEW_PORT=9001\nCLEW_HOST=::1\nNEO4J_URI=bolt://db:7687\nOTHER=1\n")
    monkeypatch.setenv("CLEW_PORT", "9002")
    settings = load_settings()
    assert (settings.port, settings.host, settings.neo4j_uri) == (9002, "::1", "bolt://db:7687")
    assert settings.api_url == "http://[::1]:9002"


def test_an_unknown_key_is_refused_with_the_nearest_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_PROT", "1")
    with pytest.raises(InvalidSettings, match="CLEW_PROT in the environment; did you mean CLEW_PORT") as caught:
        load_settings()
    assert caught.value.field == "CLEW_PROT"


def test_an_unknown_key_in_the_file_is_refused_too() -> None:
    Path(".env").write_text("CLEW_NEO4J_BOLT=1\n")
    with pytest.raises(InvalidSettings, match=r"CLEW_NEO4J_BOLT in \.env; did you mean CLEW_NEO4J_BOLT_PORT"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLEW_PORT", "eighty"),
        ("CLEW_PORT", "0"),
        ("CLEW_NEO4J_HEAP", "much"),
        ("CLEW_API_KEYS", "nonsense"),
        ("CLEW_BACKLOG_LIMIT", "-1"),
    ],
)
def test_a_bad_value_is_refused_and_its_key_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=name) as caught:
        load_settings()
    assert caught.value.field == name


def test_keys_of_the_test_suite_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLEW_TEST_REQUIRE", "all")
    load_settings()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "shop.example"])
def test_an_address_that_others_reach_needs_a_key(host: str) -> None:
    with pytest.raises(InvalidSettings, match="clew keys new"):
        require_safe_bind(Settings(host=host))
    _, known = new_key("shop", "read")
    require_safe_bind(Settings(host=host, api_keys=known.as_setting()))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_needs_none(host: str) -> None:
    assert is_loopback(host)
    require_safe_bind(Settings(host=host))


def test_every_setting_is_described_and_named_in_the_example_file() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert f"# {environment_name(name)}=" in example, name


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Settings(NEO4J_PASSWORD="hunter2"))  # type: ignore[call-arg]
