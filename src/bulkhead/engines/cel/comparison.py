"""Equality and order. Equality reaches across numeric types by value; across all other types it is false."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel.errors import CelError, CostExceeded, UnknownValue, refusal
from bulkhead.engines.cel.values import ABSENT, BoolKeyed, Duration, Opaque, Optional, Timestamp, UInt

MAX_COMPARED = 1_000_000


def exhausted() -> CostExceeded:
    return CostExceeded("the evaluation takes too many steps")


def equals(left: Any, right: Any) -> bool:
    kind = type(left)
    if kind is type(right) and (kind is str or kind is int or kind is bool):
        return bool(left == right)
    return equals_within(left, right, [MAX_COMPARED])


def differs(left: Any, right: Any) -> bool:
    return not equals(left, right)


def equals_within(left: Any, right: Any, budget: list[int]) -> bool:
    budget[0] -= 1
    if budget[0] < 0:
        raise exhausted()
    if left is UNKNOWN or right is UNKNOWN:
        raise UnknownValue("a comparison depends on a value that is not known")
    if isinstance(left, dict):
        return isinstance(right, dict) and _maps_equal(left, right, budget)
    if isinstance(left, (list, tuple)):
        if not isinstance(right, (list, tuple)) or len(left) != len(right):
            return False
        return _each_equal(zip(left, right, strict=True), budget)
    if isinstance(left, Optional):
        return isinstance(right, Optional) and (
            left.inside is right.inside
            if left.inside is ABSENT or right.inside is ABSENT
            else equals_within(left.inside, right.inside, budget)
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) is not isinstance(right, float):
        left, right = _doubles(left, right)
    return bool(left == right)


def _doubles(left: Any, right: Any) -> tuple[Any, Any]:
    """An integer beside a double is compared as a double, with what that loses; anything else stays."""
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return left, right
    try:
        return float(left), float(right)
    except OverflowError:
        return left, right


def _each_equal(pairs: Iterable[tuple[Any, Any]], budget: list[int]) -> bool:
    """All equal; a difference decides even beside a comparison that fails."""
    failed: CelError | None = None
    for left, right in pairs:
        try:
            if not equals_within(left, right, budget):
                return False
        except UnknownValue as error:
            failed = error
    if failed is not None:
        raise failed
    return True


def _maps_equal(left: dict[Any, Any], right: dict[Any, Any], budget: list[int]) -> bool:
    if len(left) != len(right):
        return False
    for key in left:
        if not has_key(right, key):
            return False
    return _each_equal(((value, right[key]) for key, value in left.items()), budget)


# Order

_ORDERED = (str, bytes, bool, Timestamp, Duration)


def compare(left: Any, right: Any, operation: str) -> int:
    """-1, 0 or 1; 2 when one is not a number (NaN), which is in no order with anything."""
    a, b = type(left), type(right)
    if (a is int or a is float or a is UInt) and (b is int or b is float or b is UInt):
        if a is not b and (a is float or b is float):
            left, right = _doubles(left, right)
        return -1 if left < right else (1 if left > right else (0 if left == right else 2))
    for kind in _ORDERED:
        if isinstance(left, kind) and isinstance(right, kind):
            if isinstance(left, Opaque) and isinstance(right, Opaque):
                left, right = left.key, right.key
            return -1 if left < right else int(left > right)
    raise refusal(operation, left, right)


def less(left: Any, right: Any) -> bool:
    return compare(left, right, "_<_") == -1


def less_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right, "_<=_") in {-1, 0}


def greater(left: Any, right: Any) -> bool:
    return compare(left, right, "_>_") == 1


def greater_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right, "_>=_") in {0, 1}


def has_key(container: dict[Any, Any], key: Any) -> bool:
    """Whether a map has a key; a key of a type that no map has is no key of it."""
    if key is UNKNOWN:
        raise UnknownValue("a key is not known")
    if type(key) is bool and not isinstance(container, BoolKeyed):
        # Python takes True for 1; a document with such keys (YAML 1.1) holds bools itself.
        return any(held is key for held in container)
    kind = type(key)
    if not (kind is str or kind is int or kind is bool or kind is UInt or kind is float or isinstance(key, str)):
        return False
    return key in container
