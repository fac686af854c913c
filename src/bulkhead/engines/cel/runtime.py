"""What generated code calls when its own fast path does not fit (CEL definition, "Semantics").

Generated code may also raise KeyError for a missing map key; ``ERRORS`` names both, ``Program.evaluate`` translates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bulkhead.core.resource import UNKNOWN
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.engines.cel.arithmetic import add, divide, modulo, multiply, negative, subtract
from bulkhead.engines.cel.comparison import (
    MAX_COMPARED,
    differs,
    equals,
    equals_within,
    exhausted,
    greater,
    greater_or_equal,
    has_key,
    less,
    less_or_equal,
)
from bulkhead.engines.cel.errors import CelError, CostExceeded, NoSuchKey, NoSuchOverload, UnknownValue, refusal
from bulkhead.engines.cel.values import ABSENT, NONE, BoolKeyed, Duration, Opaque, Optional, UInt, type_name

__all__ = [
    "ABSENT",
    "ERRORS",
    "CelError",
    "CostExceeded",
    "NoSuchKey",
    "NoSuchOverload",
    "UInt",
    "UnknownValue",
    "add",
    "boolean",
    "box",
    "charged",
    "contained",
    "custom",
    "differs",
    "divide",
    "elements",
    "equals",
    "exhausted",
    "greater",
    "greater_or_equal",
    "has_field",
    "has_key",
    "index",
    "index_inside",
    "index_optional",
    "invoke",
    "keep",
    "less",
    "less_or_equal",
    "merge",
    "missing",
    "modulo",
    "multiply",
    "negated",
    "negative",
    "new_map",
    "non_zero",
    "pairs",
    "present",
    "put",
    "refusal",
    "searched",
    "select",
    "select_inside",
    "select_optional",
    "size",
    "subtract",
    "unbox",
]

ERRORS = (CelError, KeyError)


def keep(first: Exception | None, error: Exception) -> Exception:
    """The error that a chain remembers while it looks for an operand that decides."""
    if type(error) is CostExceeded:
        raise error
    return first or error


# Truth


def boolean(value: Any, operation: str = "&&") -> bool:
    """The value when it is a bool."""
    if value is True or value is False:
        return value is True
    raise refusal(operation, value)


def negated(value: Any) -> bool:
    if value is True or value is False:
        return value is False
    raise refusal("!_", value)


# Reading maps and lists


def missing(key: Any) -> NoSuchKey:
    return NoSuchKey(f"no such key: {key}")


def select(operand: Any, field: str) -> Any:
    """``operand.field``; through an optional it gives an optional."""
    if isinstance(operand, dict):
        if field in operand:
            return operand[field]
        raise missing(field)
    if type(operand) is Optional:
        return box(select_inside(operand.inside, field))
    if operand is UNKNOWN:
        raise UnknownValue(f"'{field}' is selected from a value that is not known")
    raise NoSuchOverload(f"no such key: '{field}' is selected from {_article(operand)}")


def select_inside(operand: Any, field: str) -> Any:
    """``optional.field`` as a bare value or ``ABSENT``: of an optional map a missing key is absent, not an error."""
    if operand is ABSENT or isinstance(operand, dict):
        return select_optional(operand, field)
    return select(operand, field)


def index_inside(operand: Any, key: Any) -> Any:
    """``optional[key]`` as a bare value or ``ABSENT``."""
    if operand is None:
        raise refusal("_[_]", operand, key)
    return index_optional(operand, key)


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
    """``has(operand.field)``; null has no fields (cel-go: a presence test of what has none is false)."""
    if type(operand) is Optional:
        operand = operand.inside
        if operand is ABSENT:
            return False
    if isinstance(operand, dict):
        return field in operand
    if operand is None:
        return False
    if operand is UNKNOWN:
        raise UnknownValue(f"has() asks for '{field}' of a value that is not known")
    raise NoSuchOverload(f"has() asks for '{field}' of {_article(operand)}")


def index(operand: Any, key: Any) -> Any:
    """``operand[key]``."""
    if type(operand) is Optional:
        return box(index_inside(operand.inside, key))
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
            raise refusal("_[_]", operand, key)
        return ABSENT
    if isinstance(operand, (list, tuple)):
        if type(key) is float and key.is_integer():
            key = int(key)
        if type(key) is not int and type(key) is not UInt:
            raise refusal("_[_]", operand, key)
        return operand[key] if 0 <= key < len(operand) else ABSENT
    raise refusal("_[_]", operand, key)


def contained(element: Any, container: Any) -> bool:
    """``element in container``."""
    if isinstance(container, dict):
        return has_key(container, element)
    if not isinstance(container, (list, tuple)) or element is UNKNOWN:
        raise refusal("_in_", element, container)
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
            if equals_within(element, other, budget):
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
    raise refusal("comprehension", value)


def pairs(value: Any) -> Any:
    """What a two-variable macro runs over: index and element, or key and value."""
    if isinstance(value, (list, tuple)):
        return list(enumerate(value))
    if isinstance(value, dict):
        return list(value.items())
    raise refusal("comprehension", value)


def charged(budget: list[int], value: Any) -> Any:
    """The value, its size taken from the budget: an element costs a turn, sixteen characters cost one."""
    if isinstance(value, (str, bytes)):
        budget[0] -= len(value) >> 4
    elif isinstance(value, list):
        budget[0] -= len(value)
    if budget[0] < 0:
        raise exhausted()
    return value


def searched(budget: list[int], container: Any) -> Any:
    """A container that is about to be looked through: sixteen elements of a list cost a turn."""
    if isinstance(container, (list, tuple)):
        budget[0] -= len(container) >> 4
        if budget[0] < 0:
            raise exhausted()
    return container


def size(value: Any) -> int:
    if isinstance(value, (str, list, dict, bytes, tuple)):
        return len(value)
    raise refusal("size", value)


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
        raise refusal("transformMapEntry", entries)
    for key, value in entries.items():
        out = put(out, key, value)
    return out


# Optionals at the border between bare and boxed


def box(inside: Any) -> Optional:
    return NONE if inside is ABSENT else Optional(inside)


def unbox(value: Any) -> Any:
    if type(value) is Optional:
        return value.inside
    raise refusal("optional", value)


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
    raise refusal(name, receiver, *arguments)


def custom(implementation: Callable[..., Any], name: str, *arguments: Any) -> Any:
    """A function that the engine's user brought along."""
    for argument in arguments:
        if argument is UNKNOWN:
            raise UnknownValue(f"{name}() depends on a value that is not known")
    try:
        return implementation(*arguments)
    except WRONG_SHAPE as error:
        raise CelError(f"{name}() was given data of another shape: {error}") from error


def _article(value: Any) -> str:
    return "null" if value is None else f"a value of type {type_name(value)}"
