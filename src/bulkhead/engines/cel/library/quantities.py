"""Kubernetes resource quantities (apimachinery ``resource.Quantity``)."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from bulkhead.engines.cel.errors import CelError, refusal
from bulkhead.engines.cel.values import INT_MAX, INT_MIN, Opaque

_NUMBER = re.compile(
    r"([+-]?[0-9]{1,60}(?:\.[0-9]{0,60})?|[+-]?\.[0-9]{1,60})(?:[eE]([+-]?[0-9]{1,3})|([a-zA-Z]{0,2}))"
)
_SUFFIXES = {
    "": Fraction(1),
    **{
        suffix: Fraction(1000) ** power
        for power, suffix in zip(range(-3, 7), ["n", "u", "m", "_", "k", "M", "G", "T", "P", "E"], strict=True)
    },
    **{f"{suffix}i": Fraction(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
_NANO = Fraction(1, 10**9)


class Quantity(Opaque):
    """An amount; ``key`` is exact. What is finer than a nano is rounded up, as Kubernetes does."""

    __slots__ = ()
    type_name = "kubernetes.Quantity"


def quantity(value: Any) -> Quantity:
    if isinstance(value, Quantity):
        return value
    if not isinstance(value, str):
        raise refusal("quantity", value)
    amount = _parsed(value)
    if amount is None:
        raise CelError(f"quantities must match the regular expression of Kubernetes, not {value[:40]!r}")
    return Quantity(amount)


def is_quantity(value: Any) -> bool:
    if not isinstance(value, str):
        raise refusal("isQuantity", value)
    return _parsed(value) is not None


def _parsed(text: str) -> Fraction | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    digits, exponent, suffix = match.groups()
    number = Fraction(digits + "0" if digits[-1] == "." else digits)
    if exponent is not None:
        scale = Fraction(10) ** int(exponent)
    elif suffix in _SUFFIXES and suffix != "_":
        scale = _SUFFIXES[suffix]
    else:
        return None
    amount = number * scale
    steps = amount / _NANO
    if steps.denominator != 1:
        whole = -(-abs(steps).numerator // steps.denominator)
        amount = _NANO * (whole if amount > 0 else -whole)
    return amount


def _operand(name: str, self: Quantity, other: Any) -> Fraction:
    if isinstance(other, bool) or not isinstance(other, (Quantity, int)):
        raise refusal(name, self, other)
    return Fraction(int(other)) if isinstance(other, int) else other.key


def _other(name: str, self: Quantity, other: Any) -> Fraction:
    if not isinstance(other, Quantity):
        raise refusal(name, self, other)
    return Fraction(other.key)


def _is_greater(self: Quantity, other: Any) -> bool:
    return bool(self.key > _other("isGreaterThan", self, other))


def _is_less(self: Quantity, other: Any) -> bool:
    return bool(self.key < _other("isLessThan", self, other))


def _compare(self: Quantity, other: Any) -> int:
    right = _other("compareTo", self, other)
    return int(self.key > right) - int(self.key < right)


def _is_integer(self: Quantity) -> bool:
    return bool(self.key.denominator == 1 and INT_MIN <= self.key <= INT_MAX)


def _as_integer(self: Quantity) -> int:
    if not _is_integer(self):
        raise CelError("cannot convert value to integer")
    return int(self.key)


def _as_float(self: Quantity) -> float:
    try:
        return float(self.key)
    except OverflowError:
        raise CelError("the quantity is too large for a double") from None


def _add(self: Quantity, other: Any) -> Quantity:
    return Quantity(self.key + _operand("add", self, other))


def _sub(self: Quantity, other: Any) -> Quantity:
    return Quantity(self.key - _operand("sub", self, other))


def _sign(self: Quantity) -> int:
    return int(self.key > 0) - int(self.key < 0)


Quantity.methods = {
    "isGreaterThan": _is_greater,
    "isLessThan": _is_less,
    "compareTo": _compare,
    "isInteger": _is_integer,
    "asInteger": _as_integer,
    "asApproximateFloat": _as_float,
    "add": _add,
    "sub": _sub,
    "sign": _sign,
}
