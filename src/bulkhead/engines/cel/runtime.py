"""The operators that generated code calls when its own fast path does not fit (CEL definition, "Semantics").

Generated code may also raise KeyError for a missing map key; ``ERRORS`` names both, ``Program.evaluate`` translates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel.errors import CelError as CelError
from bulkhead.engines.cel.errors import CostExceeded as CostExceeded
from bulkhead.engines.cel.errors import NoSuchKey as NoSuchKey
from bulkhead.engines.cel.errors import NoSuchOverload as NoSuchOverload
from bulkhead.engines.cel.errors import UnknownValue as UnknownValue
from bulkhead.engines.cel.errors import refuse as refuse
from bulkhead.engines.cel.values import (
    ABSENT,
    INT_MAX,
    INT_MIN,
    NONE,
    UINT_MAX,
    BoolKeyed,
    Duration,
    Opaque,
    Optional,
    Timestamp,
    UInt,
)

ERRORS = (CelError, KeyError)
MAX_LENGTH = 10_000_000
MAX_COMPARED = 1_000_000
MAX_SECONDS = 315_576_000_000
NANOSECONDS = 1_000_000_000
MIN_INSTANT = -62_135_596_800 * NANOSECONDS
MAX_INSTANT = 253_402_300_800 * NANOSECONDS - 1


def keep(first: Exception | None, error: Exception) -> Exception:
    """The error that a chain remembers while it looks for an operand that decides."""
    if type(error) is CostExceeded:
        raise error
    return first or error


def exhausted() -> CostExceeded:
    return CostExceeded("the evaluation takes too many steps")


# Truth


def boolean(value: Any, operation: str = "&&") -> bool:
    """The value when it is a bool."""
    if value is True or value is False:
        return value is True
    refuse(operation, value)


def negated(value: Any) -> bool:
    if value is True or value is False:
        return value is False
    refuse("!_", value)


# Equality: across numeric types by value, across all others false


def equals(left: Any, right: Any) -> bool:
    kind = type(left)
    if kind is type(right) and (kind is str or kind is int or kind is bool):
        return bool(left == right)
    return _equals(left, right, [MAX_COMPARED])


def differs(left: Any, right: Any) -> bool:
    return not equals(left, right)


def _equals(left: Any, right: Any, budget: list[int]) -> bool:
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
            else _equals(left.inside, right.inside, budget)
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def _each_equal(pairs: Iterable[tuple[Any, Any]], budget: list[int]) -> bool:
    """All equal; a difference decides even beside a comparison that fails."""
    failed: CelError | None = None
    for left, right in pairs:
        try:
            if not _equals(left, right, budget):
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
        return -1 if left < right else (1 if left > right else (0 if left == right else 2))
    for kind in _ORDERED:
        if isinstance(left, kind) and isinstance(right, kind):
            if isinstance(left, Opaque) and isinstance(right, Opaque):
                left, right = left.key, right.key
            return -1 if left < right else int(left > right)
    refuse(operation, left, right)


def less(left: Any, right: Any) -> bool:
    return compare(left, right, "_<_") == -1


def less_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right, "_<=_") in {-1, 0}


def greater(left: Any, right: Any) -> bool:
    return compare(left, right, "_>_") == 1


def greater_or_equal(left: Any, right: Any) -> bool:
    return compare(left, right, "_>=_") in {0, 1}


# Arithmetic


def integer(value: int) -> int:
    """The value when it fits 64 bits with a sign."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("integer overflow: return error for overflow")


def unsigned(value: int) -> UInt:
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise CelError("unsigned integer overflow: return error for overflow")


def instant(nanoseconds: int) -> Timestamp:
    if MIN_INSTANT <= nanoseconds <= MAX_INSTANT:
        return Timestamp(nanoseconds)
    raise CelError("timestamp out of range")


def span(nanoseconds: int) -> Duration:
    if abs(nanoseconds) <= MAX_SECONDS * NANOSECONDS:
        return Duration(nanoseconds)
    raise CelError("duration out of range")


def add(left: Any, right: Any) -> Any:
    a, b = type(left), type(right)
    if a is b:
        if a is int:
            return integer(left + right)
        if a is str or a is list or a is bytes:
            if len(left) + len(right) > MAX_LENGTH:
                raise CostExceeded("the result of + is too large")
            return left + right
        if a is float:
            return left + right
        if a is UInt:
            return unsigned(int(left) + int(right))
        if a is Duration:
            return span(left.key + right.key)
    elif {a, b} == {Timestamp, Duration}:
        return instant(left.key + right.key)
    refuse("_+_", left, right)


def subtract(left: Any, right: Any) -> Any:
    a, b = type(left), type(right)
    if a is b:
        if a is int:
            return integer(left - right)
        if a is float:
            return left - right
        if a is UInt:
            return unsigned(int(left) - int(right))
        if a is Duration or a is Timestamp:
            return span(left.key - right.key)
    elif a is Timestamp and b is Duration:
        return instant(left.key - right.key)
    refuse("_-_", left, right)


def multiply(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return integer(left * right)
        if kind is float:
            return left * right
        if kind is UInt:
            return unsigned(int(left) * int(right))
    refuse("_*_", left, right)


def divide(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is type(right):
        if kind is float:
            return _divide_doubles(left, right)
        if kind is int or kind is UInt:
            if right == 0:
                raise CelError("divide by zero")
            quotient = abs(int(left)) // abs(int(right))
            if kind is UInt:
                return UInt(quotient)
            # Toward zero, unlike Python.
            return integer(quotient if (left < 0) == (right < 0) else -quotient)
    refuse("_/_", left, right)


def _divide_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is type(right) and (kind is int or kind is UInt):
        if right == 0:
            raise CelError("modulus by zero")
        rest = abs(int(left)) % abs(int(right))
        return UInt(rest) if kind is UInt else (-rest if left < 0 else rest)
    refuse("_%_", left, right)


def negative(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return integer(-value)
    if kind is float:
        return -value
    if kind is Duration:
        return span(-value.key)
    refuse("-_", value)


# Reading maps and lists


def missing(key: Any) -> NoSuchKey:
    return NoSuchKey(f"no such key: {key}")


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


def select(operand: Any, field: str) -> Any:
    """``operand.field``; through an optional it gives an optional."""
    if isinstance(operand, dict):
        if field in operand:
            return operand[field]
        raise missing(field)
    if type(operand) is Optional:
        return operand if operand.inside is ABSENT else Optional(select(operand.inside, field))
    if operand is UNKNOWN:
        raise UnknownValue(f"'{field}' is selected from a value that is not known")
    raise NoSuchOverload(f"no such key: '{field}' is selected from {_article(operand)}")


def select_optional(operand: Any, field: str) -> Any:
    """``operand.?field`` as a bare value or ``ABSENT``; null counts as absent."""
    if type(operand) is Optional:
        operand = operand.inside
    if operand is None or operand is ABSENT:
        return ABSENT
    if isinstance(operand, dict):
        return operand.get(field, ABSENT)
    if operand is UNKNOWN:
        raise UnknownValue(f"'{field}' is selected from a value that is not known")
    raise NoSuchOverload(f"'{field}' is selected from {_article(operand)}")


def has_field(operand: Any, field: str) -> bool:
    """``has(operand.field)``."""
    if type(operand) is Optional:
        operand = operand.inside
        if operand is ABSENT:
            return False
    if isinstance(operand, dict):
        return field in operand
    if operand is UNKNOWN:
        raise UnknownValue(f"has() asks for '{field}' of a value that is not known")
    raise NoSuchOverload(f"has() asks for '{field}' of {_article(operand)}")


def index(operand: Any, key: Any) -> Any:
    """``operand[key]``."""
    if type(operand) is Optional:
        return operand if operand.inside is ABSENT else Optional(index(operand.inside, key))
    found = _at(operand, key)
    if found is ABSENT:
        if isinstance(operand, dict):
            raise missing(key)
        raise NoSuchKey(f"index out of bounds: {key}, invalid_argument")
    return found


def index_optional(operand: Any, key: Any) -> Any:
    """``operand[?key]`` as a bare value or ``ABSENT``; null counts as absent."""
    if type(operand) is Optional:
        operand = operand.inside
    if operand is None or operand is ABSENT:
        return ABSENT
    return _at(operand, key)


def _at(operand: Any, key: Any) -> Any:
    if isinstance(operand, dict):
        if has_key(operand, key):
            return operand[key]
        if not isinstance(key, (str, int, float)):
            refuse("_[_]", operand, key)
        return ABSENT
    if isinstance(operand, (list, tuple)):
        if type(key) is float and key.is_integer():
            key = int(key)
        if type(key) is not int and type(key) is not UInt:
            refuse("_[_]", operand, key)
        return operand[key] if 0 <= key < len(operand) else ABSENT
    refuse("_[_]", operand, key)


def contained(element: Any, container: Any) -> bool:
    """``element in container``."""
    if isinstance(container, dict):
        return has_key(container, element)
    if not isinstance(container, (list, tuple)) or element is UNKNOWN:
        refuse("_in_", element, container)
    if type(element) is str:
        if element in container:
            return True
        if UNKNOWN in container:
            raise UnknownValue("a list has an element that is not known")
        return False
    budget = [MAX_COMPARED]
    failed: CelError | None = None
    for other in container:
        try:
            if _equals(element, other, budget):
                return True
        except UnknownValue as error:
            failed = error
    if failed is not None:
        raise failed
    return False


def elements(value: Any) -> Any:
    """What a one-variable macro runs over: a list's elements or a map's keys."""
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, dict):
        return list(value)
    refuse("comprehension", value)


def pairs(value: Any) -> Any:
    """What a two-variable macro runs over: index and element, or key and value."""
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    if isinstance(value, dict):
        return list(value.items())
    refuse("comprehension", value)


def size(value: Any) -> int:
    if isinstance(value, (str, list, dict, bytes, tuple)):
        return len(value)
    refuse("size", value)


# Building maps


def new_map(entries: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    """A map literal: keys are bool, int, uint or string, each once."""
    out: dict[Any, Any] = {}
    for key, value in entries:
        out = put(out, key, value)
    return out


def put(out: dict[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    kind = type(key)
    if kind is bool and type(out) is dict:
        out = BoolKeyed(out)
    elif not (kind is str or kind is int or kind is UInt or kind is bool):
        if key is UNKNOWN:
            raise UnknownValue("a map key is not known")
        raise NoSuchOverload("unsupported key type")
    if key in out:
        raise CelError(f"Failed with repeated key: {key}")
    out[key] = value
    return out


def merge(out: dict[Any, Any], entries: Any) -> dict[Any, Any]:
    if not isinstance(entries, dict):
        refuse("transformMapEntry", entries)
    for key, value in entries.items():
        out = put(out, key, value)
    return out


# Optionals at the border between bare and boxed


def box(inside: Any) -> Optional:
    return NONE if inside is ABSENT else Optional(inside)


def unbox(value: Any) -> Any:
    if type(value) is Optional:
        return value.inside
    refuse("optional", value)


def present(inside: Any) -> Any:
    if inside is ABSENT:
        raise CelError("optional.none() dereference")
    return inside


def non_zero(value: Any) -> Any:
    """The value, or ``ABSENT`` when it is its type's zero."""
    if value is UNKNOWN:
        raise UnknownValue("optional.ofNonZeroValue() of a value that is not known")
    if value is None or (isinstance(value, (bool, int, float, str, bytes, list, dict)) and not value):
        return ABSENT
    if isinstance(value, (Duration,)) and not value.key:
        return ABSENT
    return value


# Functions


def invoke(receiver: Any, name: str, *arguments: Any) -> Any:
    """A member function of an opaque type."""
    if isinstance(receiver, Opaque):
        method = receiver.methods.get(name)
        if method is not None:
            return method(receiver, *arguments)
    refuse(name, receiver, *arguments)


def custom(implementation: Callable[..., Any], name: str, *arguments: Any) -> Any:
    """A function that the engine's user brought along."""
    for argument in arguments:
        if argument is UNKNOWN:
            raise UnknownValue(f"{name}() depends on a value that is not known")
    return implementation(*arguments)


def _article(value: Any) -> str:
    from bulkhead.engines.cel.values import type_name

    return "null" if value is None else f"a value of type {type_name(value)}"
