"""Without keys: this machine only, and no foreign pages. With keys: each may do what its scope says."""

from collections.abc import Callable

import pytest

from api.keys import ApiKey, digest_of, find_key, new_key, parse_keys
from api.services import Services
from domain.errors import InvalidSettings
from tests.api.conftest import Live

KEYS = {scope: new_key(f"{scope}-key", scope) for scope in ("read", "write", "analyst", "admin")}


@pytest.fixture
def keyed(offline_services: Services, start: Callable[..., Live]) -> Live:
    return start(offline_services, keys=tuple(known for _, known in KEYS.values()))


@pytest.mark.parametrize(
    ("method", "path", "body", "allowed"),
    [
        ("POST", "/recommend", {"user_id": "ann"}, {"read", "write", "analyst", "admin"}),
        ("GET", "/v1/users/ann", None, {"read", "write", "analyst", "admin"}),
        ("GET", "/metrics", None, {"read", "write", "analyst", "admin"}),
        ("POST", "/v1/events", {"events": [{"user_id": "a", "item_id": "b", "kind": "view"}]}, {"write", "admin"}),
        ("PUT", "/v1/items/new", {"name": "New"}, {"write", "admin"}),
        ("PATCH", "/v1/items/pulp", {}, {"write", "admin"}),
        ("DELETE", "/v1/items/pulp", None, {"write", "admin"}),
        ("PUT", "/v1/entities/Genre:new", {}, {"write", "admin"}),
        ("DELETE", "/v1/users/ann", None, {"admin"}),
    ],
)
def test_each_scope_may_do_what_it_is_for(
    keyed: Live, method: str, path: str, body: dict[str, object] | None, allowed: set[str]
) -> None:
    assert keyed.client.request(method, path, json=body).status_code == 401
    assert keyed.client.request(method, path, json=body, headers={"X-API-Key": "clew_wrong"}).status_code == 401
    for scope, (key, _) in KEYS.items():
        answer = keyed.client.request(method, path, json=body, headers={"X-API-Key": key})
        if scope in allowed:
            assert answer.status_code < 300, (scope, answer.text)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), scope


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/docs", "/openapi.json"])
def test_health_and_documentation_are_open(keyed: Live, path: str) -> None:
    assert keyed.client.get(path).status_code == 200


def test_the_parts_of_readiness_are_told_to_key_holders_only(keyed: Live) -> None:
    assert keyed.client.get("/health/ready").json() == {"status": "degraded"}
    told = keyed.client.get("/health/ready", headers={"X-API-Key": KEYS["read"][0]}).json()
    assert told["model_version"] == keyed.services.world.model_version


def test_with_keys_any_host_name_may_be_used(keyed: Live) -> None:
    headers = {"Host": "shop.example", "Origin": "https://shop.example", "X-API-Key": KEYS["read"][0]}
    assert keyed.client.get("/v1/users/ann", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]"])
def test_without_keys_this_machine_is_served_under_its_names(shared: Live, host: str) -> None:
    assert shared.client.get("/v1/users/ann", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", ""]
)
def test_without_keys_another_host_name_is_refused(shared: Live, host: str) -> None:
    answer = shared.client.get("/v1/users/ann", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_host")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 200),
        ("http://127.0.0.1", 200),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_without_keys_a_page_of_another_origin_is_refused(shared: Live, origin: str, status: int) -> None:
    assert shared.client.get("/v1/users/ann", headers={"Origin": origin}).status_code == status


def test_more_host_names_can_be_allowed(offline_services: Services, start: Callable[..., Live]) -> None:
    live = start(offline_services, allowed_hosts=("shop.test",))
    assert live.client.get("/v1/users/ann", headers={"Host": "shop.test:80"}).status_code == 200


def test_a_key_is_known_by_its_hash_only() -> None:
    key, known = new_key("ci", "write")
    assert known == ApiKey("ci", "write", digest_of(key))
    assert key not in known.as_setting()
    assert find_key((known,), key) == known
    assert find_key((known,), key + "x") is None
    assert parse_keys(f" {known.as_setting()} , ") == (known,)


@pytest.mark.parametrize("text", ["x", "a:b:c", f"a:read:{'0' * 63}", f"a:root:{'0' * 64}", f"ä:read:{'0' * 64}"])
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidSettings, match="part 1") as caught:
        parse_keys(text)
    assert text == "x" or text not in caught.value.message
