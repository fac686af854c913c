"""Sums and products: 64 bits with a sign or without, doubles, instants and spans; never mixed."""

from __future__ import annotations

import math
from typing import Any

from bulkhead.engines.cel.errors import CelError, CostExceeded, refusal
from bulkhead.engines.cel.values import INT_MAX, INT_MIN, UINT_MAX, Duration, Timestamp, UInt

MAX_LENGTH = 10_000_000
NANOSECONDS = 1_000_000_000
_MIN_INSTANT = -62_135_596_800 * NANOSECONDS
_MAX_INSTANT = 253_402_300_800 * NANOSECONDS - 1


def integer(value: int) -> int:
    """The value when it fits 64 bits with a sign."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("integer overflow")


def unsigned(value: int) -> UInt:
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise CelError("unsigned integer overflow")


def instant(nanoseconds: int) -> Timestamp:
    if _MIN_INSTANT <= nanoseconds <= _MAX_INSTANT:
        return Timestamp(nanoseconds)
    raise CelError("timestamp out of range")


def span(nanoseconds: int) -> Duration:
    if INT_MIN <= nanoseconds <= INT_MAX:
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
    raise refusal("_+_", left, right)


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
    raise refusal("_-_", left, right)


def multiply(left: Any, right: Any) -> Any:
    kind = type(left)
    if kind is type(right):
        if kind is int:
            return integer(left * right)
        if kind is float:
            return left * right
        if kind is UInt:
            return unsigned(int(left) * int(right))
    raise refusal("_*_", left, right)


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
    raise refusal("_/_", left, right)


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
    raise refusal("_%_", left, right)


def negative(value: Any) -> Any:
    kind = type(value)
    if kind is int:
        return integer(-value)
    if kind is float:
        return -value
    if kind is Duration:
        return span(-value.key)
    raise refusal("-_", value)
