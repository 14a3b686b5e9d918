"""Search and catalogue health over HTTP."""

from tests.api.conftest import Live


def test_search_finds_each_kind_by_name(shared: Live) -> None:
    answer = shared.client.get("/v1/search", params={"q": "tarantino"}).json()
    assert answer["query"] == "tarantino"
    assert answer["found"] == [
        {"kind": "entity", "id": "Director:tarantino", "name": "Quentin Tarantino", "label": "Director", "count": 5}
    ]
    found = shared.client.get("/v1/search", params={"q": "kill", "kind": "item", "n": 1}).json()["found"]
    assert [(one["id"], one["kind"]) for one in found] == [("kill", "item")]


def test_a_kind_that_is_none_is_refused_by_name(shared: Live) -> None:
    answer = shared.client.get("/v1/search", params={"q": "x", "kind": "film"})
    assert (answer.status_code, answer.json()["field"]) == (422, "kind")


def test_catalogue_health_counts_what_lists_show(shared: Live) -> None:
    found = shared.client.get("/v1/catalogue/health", params={"users": 3, "n": 2}).json()
    assert (found["items"], found["available"], found["lists"], found["n"]) == (12, 11, 3, 2)
    assert found["shown"] + found["never"] == 11
    assert found["hubs"][0]["id"] == "Director:tarantino"


def test_what_may_be_named_is_told_without_what_is_sensitive(shared: Live) -> None:
    declaration = shared.services.world.view().declaration
    told = shared.client.get("/v1/catalogue/types").json()
    assert [one["type"] for one in told["relations"]] == [r.type for r in declaration.relation_types if not r.sensitive]
    assert {"year", "item_kind", "available"} <= {one["name"] for one in told["item_fields"]}
    assert told["segments"] == ["new", "beginner", "regular", "heavy"]
    hidden = {one.name for one in declaration.user_properties if one.sensitive}
    assert not hidden & {one["name"] for one in told["user_properties"]}
