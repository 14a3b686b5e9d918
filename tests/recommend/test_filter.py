import pytest

from domain.errors import InvalidRequest
from recommend.filter import compile_filter

FIELDS = {"name", "year", "tags", "available"}
PULP = {"name": "Pulp Fiction", "year": 1994, "tags": ["cult", "90s"], "available": True}
BLANK: dict[str, object] = {"name": "Untitled", "year": None, "tags": None, "available": True}


def matches(raw: dict[str, object], item: dict[str, object]) -> bool:
    return compile_filter(raw, FIELDS)(lambda name: item[name])


@pytest.mark.parametrize(
    ("raw", "pulp", "blank"),
    [
        ({"field": "year", "op": "eq", "value": 1994}, True, False),
        ({"field": "year", "value": 1994.0}, True, False),
        ({"field": "year", "op": "ne", "value": 1994}, False, True),
        ({"field": "year", "op": "in", "value": [1990, 1994]}, True, False),
        ({"field": "year", "op": "lt", "value": 1994}, False, False),
        ({"field": "year", "op": "le", "value": 1994}, True, False),
        ({"field": "year", "op": "gt", "value": 1993}, True, False),
        ({"field": "year", "op": "ge", "value": 1995}, False, False),
        ({"field": "year", "op": "gt", "value": "1"}, False, False),
        ({"field": "year", "op": "exists", "value": True}, True, False),
        ({"field": "year", "op": "exists", "value": False}, False, True),
        ({"field": "tags", "op": "eq", "value": "cult"}, True, False),
        ({"field": "tags", "op": "in", "value": ["80s", "90s"]}, True, False),
        ({"field": "available", "op": "eq", "value": True}, True, True),
        ({"field": "available", "op": "eq", "value": 1}, False, False),
        ({"and": [{"field": "year", "value": 1994}, {"field": "tags", "value": "cult"}]}, True, False),
        ({"or": [{"field": "year", "value": 1994}, {"field": "name", "value": "Untitled"}]}, True, True),
        ({"not": {"field": "year", "op": "exists"}}, False, True),
        ({"and": []}, True, True),
        ({"or": []}, False, False),
    ],
)
def test_a_filter_says_yes_or_no(raw: dict[str, object], pulp: bool, blank: bool) -> None:
    assert (matches(raw, PULP), matches(raw, BLANK)) == (pulp, blank)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"field": "price", "value": 1},
        {"field": ["name"], "value": 1},
        {"field": "year", "op": "like", "value": 1},
        {"field": "year", "op": "in", "value": 1},
        {"field": "year", "op": "eq", "value": [1]},
        {"field": "year", "op": "lt", "value": None},
        {"and": {"field": "year"}},
        {"and": [], "or": []},
        {"not": [1]},
        {"field": "year", "op": "eq", "value": 1, "more": 2},
    ],
)
def test_a_wrong_filter_is_refused(raw: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as raised:
        compile_filter(raw, FIELDS)
    assert raised.value.field == "filter"


def test_deep_and_long_filters_are_refused() -> None:
    deep: dict[str, object] = {"field": "year", "value": 1}
    for _ in range(10):
        deep = {"not": deep}
    long: dict[str, object] = {"or": [{"field": "year", "value": 1}] * 100}
    for raw in (deep, long):
        with pytest.raises(InvalidRequest, match="10 levels and 100 tests"):
            compile_filter(raw, FIELDS)
