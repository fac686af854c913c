"""Arrays, sets and what takes either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bulkhead.engines.rego.builtins.numbers import difference
from bulkhead.engines.rego.builtins.operands import MAX_ITEMS, array, set_, too_large, whole, wrong_type
from bulkhead.engines.rego.errors import OperandError
from bulkhead.engines.rego.values import Set, U, compare, get, integer, ordered, same, type_name


def count(a: Any) -> int:
    if type(a) is list or isinstance(a, dict) or type(a) is Set or type(a) is str:
        return len(a)
    raise wrong_type(1, a, "array", "object", "set", "string")


def _collection(a: Any, *names: str) -> list[Any]:
    if type(a) is not list and type(a) is not Set:
        raise wrong_type(1, a, *names)
    return list(a)


def largest(a: Any) -> Any:
    found = _collection(a, "set", "array")
    return ordered(found)[-1] if found else U


def smallest(a: Any) -> Any:
    found = _collection(a, "set", "array")
    return ordered(found)[0] if found else U


def in_order(a: Any) -> list[Any]:
    return ordered(_collection(a, "set", "array"))


def every(a: Any) -> bool:
    return all(item is True for item in _collection(a, "array", "set"))


def some(a: Any) -> bool:
    return any(item is True for item in _collection(a, "array", "set"))


def member(a: Any, b: Any) -> bool:
    if type(b) is Set:
        return a in b
    if type(b) is list:
        return any(same(a, item) for item in b)
    if isinstance(b, dict):
        return any(same(a, item) for item in b.values())
    return False


def member_with_key(key: Any, value: Any, b: Any) -> bool:
    if type(b) is Set:
        return key in b and same(key, value)
    if type(b) is list:
        at = integer(key)
        return at is not None and 0 <= at < len(b) and same(value, b[at])
    if isinstance(b, dict):
        return same(value, get(b, key))
    return False


# Comparison


def equal(a: Any, b: Any) -> bool:
    return same(a, b)


def differs(a: Any, b: Any) -> bool:
    return not same(a, b)


def _compares(test: Callable[[int], bool]) -> Callable[[Any, Any], bool]:
    return lambda a, b: test(compare(a, b))


less = _compares(lambda found: found < 0)
less_or_equal = _compares(lambda found: found <= 0)
greater = _compares(lambda found: found > 0)
greater_or_equal = _compares(lambda found: found >= 0)


# Arrays


def concat(a: Any, b: Any) -> list[Any]:
    made = array(a, 1) + array(b, 2)
    if len(made) > MAX_ITEMS:
        raise too_large()
    return made


def flatten(a: Any) -> list[Any]:
    made: list[Any] = []
    for item in array(a, 1):
        if type(item) is list:
            made += item
        else:
            made.append(item)
    if len(made) > MAX_ITEMS:
        raise too_large()
    return made


def part(a: Any, start: Any, stop: Any) -> list[Any]:
    found = array(a, 1)
    first, last = whole(start, 2), whole(stop, 3)
    last = min(max(last, 0), len(found))
    first = min(max(first, 0), last)
    return found[first:last]


def backwards(a: Any) -> list[Any]:
    return array(a, 1)[::-1]


# Sets


def intersect(a: Any, b: Any) -> Set:
    one, two = set_(a, 1).forms, set_(b, 2).forms
    return Set(value for key, value in one.items() if key in two)


def unite(a: Any, b: Any) -> Set:
    return Set([*set_(a, 1).forms.values(), *set_(b, 2).forms.values()])


def subtract(a: Any, b: Any) -> Set:
    return difference(set_(a, 1), set_(b, 2))


def intersection(a: Any) -> Set:
    result: Set | None = None
    for item in set_(a, 1):
        found = set_(item, 1)
        result = found if result is None else intersect(result, found)
    return Set() if result is None else result


def union(a: Any) -> Set:
    made = Set(value for item in set_(a, 1) for value in set_(item, 1).forms.values())
    if len(made) > MAX_ITEMS:
        raise too_large()
    return made


# Types


def is_number(a: Any) -> bool:
    return type_name(a) == "number"


def is_string(a: Any) -> bool:
    return type(a) is str


def is_boolean(a: Any) -> bool:
    return type(a) is bool


def is_array(a: Any) -> bool:
    return type(a) is list


def is_set(a: Any) -> bool:
    return type(a) is Set


def is_object(a: Any) -> bool:
    return isinstance(a, dict)


def is_null(a: Any) -> bool:
    return a is None


def cast_array(a: Any) -> list[Any]:
    return _collection(a, "array", "set")


def cast_set(a: Any) -> Set:
    return a if type(a) is Set else Set(_collection(a, "array", "set"))


def _cast(name: str) -> Callable[[Any], Any]:
    def cast(a: Any) -> Any:
        if type_name(a) != name:
            raise wrong_type(1, a, name)
        return a

    return cast


cast_string = _cast("string")
cast_boolean = _cast("boolean")
cast_null = _cast("null")
cast_object = _cast("object")


def no_answer(*_: Any) -> Any:
    """What only a compiler understands: it never runs."""
    raise OperandError("only a compiler understands it")
