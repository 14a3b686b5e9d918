"""Filters on item fields: JSON in, a yes or no per item out.

A filter is `{"field": "year", "op": "ge", "value": 1990}`, `{"and": [...]}`, `{"or": [...]}` or `{"not": {...}}`.
Ops: eq, ne, in, lt, le, gt, ge, exists (value true or false). A list in a field matches when any of its entries does.
"""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, cast

from domain.errors import InvalidRequest

Fields = Callable[[str], object]  # the value of a named field of one item; None where absent
Test = Callable[[Fields], bool]

MAX_DEPTH = 10
MAX_TESTS = 100
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def compile_filter(raw: Mapping[str, object], fields: Collection[str]) -> Test:
    """A test of one item. fields: the names that items have.

    Raises: InvalidRequest (field "filter") for unknown fields or ops, wrong values, more than 10 levels or 100 tests.
    """
    return _Compiler(fields).compile(raw, depth=1)


def fields_of(raw: object) -> tuple[str, ...]:
    """The fields that a filter names, sorted."""
    if isinstance(raw, Mapping):
        node = cast(Mapping[str, object], raw)
        inner = [name for part in node.values() for name in fields_of(part)]
        return tuple(sorted({*inner, *([str(node["field"])] if "field" in node else [])}))
    if isinstance(raw, list | tuple):
        return tuple(sorted({name for part in cast(Sequence[object], raw) for name in fields_of(part)}))
    return ()


class _Compiler:
    def __init__(self, fields: Collection[str]) -> None:
        self.fields = fields
        self.tests = 0

    def compile(self, raw: object, *, depth: int) -> Test:
        if not isinstance(raw, Mapping):
            raise _invalid(f"a filter is an object, not {type(raw).__name__}")
        node = cast(Mapping[str, object], raw)
        self.tests += 1
        if depth > MAX_DEPTH or self.tests > MAX_TESTS:
            raise _invalid(f"a filter has at most {MAX_DEPTH} levels and {MAX_TESTS} tests")
        keys = set(node)
        if keys in ({"and"}, {"or"}):
            return self._join(keys.pop(), node, depth)
        if keys == {"not"}:
            inner = self.compile(node["not"], depth=depth + 1)
            return lambda item: not inner(item)
        if "field" in keys and keys <= {"field", "op", "value"}:
            return self._compare(node)
        raise _invalid("a filter has field, op and value, or one of and, or, not")

    def _join(self, word: str, node: Mapping[str, object], depth: int) -> Test:
        parts = node[word]
        if not isinstance(parts, list | tuple):
            raise _invalid(f"{word} takes a list of filters")
        tests = [self.compile(part, depth=depth + 1) for part in cast(Sequence[object], parts)]
        if word == "and":
            return lambda item: all(test(item) for test in tests)
        return lambda item: any(test(item) for test in tests)

    def _compare(self, node: Mapping[str, object]) -> Test:
        name, op, value = node["field"], node.get("op", "eq"), node.get("value")
        if not isinstance(name, str) or name not in self.fields:
            raise _invalid(f"no field {name!r}; items have {', '.join(sorted(self.fields))}")
        if op == "exists":
            wanted = value is not False
            return lambda item: (item(name) is not None) == wanted
        if op in ("eq", "ne"):
            if isinstance(value, list | tuple | Mapping):
                raise _invalid(f"{op} compares with one value; use in for several")
            wanted = op == "eq"
            return lambda item: any(_equal(entry, value) for entry in _entries(item(name))) == wanted
        if op == "in":
            if not isinstance(value, list | tuple):
                raise _invalid("in takes a list of values")
            values = list(cast(Sequence[object], value))
            return lambda item: any(_equal(entry, one) for entry in _entries(item(name)) for one in values)
        if not isinstance(op, str) or op not in _ORDER:
            raise _invalid(f"no op {op!r}; there are eq, ne, in, lt, le, gt, ge and exists")
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise _invalid(f"{op} compares with a number or text")
        return _ordered(name, _ORDER[op], value)


def _ordered(name: str, compare: Callable[[Any, Any], bool], value: float | str) -> Test:
    def test(item: Fields) -> bool:
        return any(compare(entry, value) for entry in _entries(item(name)) if _comparable(entry, value))

    return test


def _entries(value: object) -> Sequence[object]:
    return cast(Sequence[object], value) if isinstance(value, list | tuple) else (value,)


def _equal(left: object, right: object) -> bool:
    """True and 1 are different, 1 and 1.0 are not."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _comparable(entry: object, value: float | str) -> bool:
    if isinstance(value, str):
        return isinstance(entry, str)
    return isinstance(entry, int | float) and not isinstance(entry, bool)


def _invalid(message: str) -> InvalidRequest:
    return InvalidRequest(message, field="filter")
