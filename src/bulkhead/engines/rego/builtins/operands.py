"""Arguments of built-ins, looked at in OPA's words (topdown/builtins)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bulkhead.engines.rego.errors import BudgetError, OperandError
from bulkhead.engines.rego.values import Set, integer, type_name

MAX_TEXT = 32 * 1024 * 1024
MAX_ITEMS = 1_000_000
MAX_BITS = 1_000_000

Number = int | float | Decimal


def wrong_type(position: int, got: Any, *expected: str) -> OperandError:
    wanted = expected[0] if len(expected) == 1 else f"one of {{{', '.join(expected)}}}"
    return OperandError(f"operand {position} must be {wanted} but got {type_name(got)}")


def wrong_element(position: int, composite: Any, got: Any, *expected: str) -> OperandError:
    kind = type_name(composite)
    wanted = f"{expected[0]}s" if len(expected) == 1 else f"(any of) {{{', '.join(expected)}}}"
    return OperandError(f"operand {position} must be {kind} of {wanted} but got {kind} containing {type_name(got)}")


def text(value: Any, position: int) -> str:
    if type(value) is not str:
        raise wrong_type(position, value, "string")
    return value


def array(value: Any, position: int) -> list[Any]:
    if type(value) is not list:
        raise wrong_type(position, value, "array")
    return value


def object_(value: Any, position: int) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise wrong_type(position, value, "object")
    return value


def set_(value: Any, position: int) -> Set:
    if type(value) is not Set:
        raise wrong_type(position, value, "set")
    return value


def number(value: Any, position: int) -> Number:
    kind = type(value)
    if kind is not int and kind is not float and kind is not Decimal:
        raise wrong_type(position, value, "number")
    return value  # type: ignore[no-any-return]


def whole(value: Any, position: int, name: str = "number") -> int:
    """An integer."""
    if type(value) is int:
        return value
    kind = type(value)
    if kind is not float and kind is not Decimal:
        raise wrong_type(position, value, name)
    found = integer(value)
    if found is None:
        raise OperandError(f"operand {position} must be integer number but got floating-point number")
    return found


def texts(value: Any, position: int) -> list[str]:
    """The strings of an array or a set."""
    if type(value) is not list and type(value) is not Set:
        raise wrong_type(position, value, "array", "set")
    found = list(value)
    for item in found:
        if type(item) is not str:
            raise wrong_element(position, value, item, "string")
    return found


def raw(value: str) -> bytes:
    """The bytes of a string; a string may hold bytes that are no text, as Go's do."""
    return value.encode("utf-8", "surrogateescape")


def cooked(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def bounded(value: str) -> str:
    """A string that may be the result of a built-in.

    Raises:
        BudgetError: it is too long.
    """
    if len(value) > MAX_TEXT:
        raise too_large()
    return value


def too_large() -> BudgetError:
    return BudgetError("the result of a built-in is too large")
