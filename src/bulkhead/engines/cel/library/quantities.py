"""Kubernetes resource quantities (apimachinery ``resource.Quantity``)."""

from __future__ import annotations

import re
from typing import Any

from bulkhead.engines.cel.errors import CelError, refusal
from bulkhead.engines.cel.library.signature import takes
from bulkhead.engines.cel.values import INT_MAX, INT_MIN, Opaque

_NUMBER = re.compile(
    r"([+-]?[0-9]{1,60}(?:\.[0-9]{0,60})?|[+-]?\.[0-9]{1,60})(?:[eE]([+-]?[0-9]{1,3})|([a-zA-Z]{0,2}))"
)
_NANOS = 10**9
_SUFFIXES = {
    **{suffix: 10 ** (3 * power) for power, suffix in enumerate(["n", "u", "m", "", "k", "M", "G", "T", "P", "E"])},
    **{f"{suffix}i": _NANOS * 1024**power for power, suffix in enumerate("KMGTPE", 1)},
}


class Quantity(Opaque):
    """An amount; ``key`` counts nanos. What is finer is rounded away from zero, as Kubernetes does."""

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


def _parsed(text: str) -> int | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    digits, exponent, suffix = match.groups()
    whole, _, fraction = digits.partition(".")
    mantissa, down = int(whole + fraction), len(fraction)
    if exponent is not None:
        scale = _NANOS * 10 ** max(int(exponent), 0)
        down -= min(int(exponent), 0)
    else:
        scale = _SUFFIXES.get(suffix, 0)
        if not scale:
            return None
    nanos: int = -(-abs(mantissa) * scale // 10**down)
    return -nanos if mantissa < 0 else nanos


def _operand(name: str, self: Quantity, other: Any) -> int:
    if isinstance(other, bool) or not isinstance(other, (Quantity, int)):
        raise refusal(name, self, other)
    return int(other) * _NANOS if isinstance(other, int) else int(other.key)


def _other(name: str, self: Quantity, other: Any) -> int:
    if not isinstance(other, Quantity):
        raise refusal(name, self, other)
    return int(other.key)


def _is_greater(self: Quantity, other: Any) -> bool:
    return bool(self.key > _other("isGreaterThan", self, other))


def _is_less(self: Quantity, other: Any) -> bool:
    return bool(self.key < _other("isLessThan", self, other))


def _compare(self: Quantity, other: Any) -> int:
    right = _other("compareTo", self, other)
    return int(self.key > right) - int(self.key < right)


def _is_integer(self: Quantity) -> bool:
    return bool(self.key % _NANOS == 0 and INT_MIN <= self.key // _NANOS <= INT_MAX)


def _as_integer(self: Quantity) -> int:
    if not _is_integer(self):
        raise CelError("cannot convert value to integer")
    return int(self.key // _NANOS)


def _as_float(self: Quantity) -> float:
    try:
        return float(self.key / _NANOS)
    except OverflowError:
        raise CelError("the quantity is too large for a double") from None


def _add(self: Quantity, other: Any) -> Quantity:
    return Quantity(self.key + _operand("add", self, other))


def _sub(self: Quantity, other: Any) -> Quantity:
    return Quantity(self.key - _operand("sub", self, other))


def _sign(self: Quantity) -> int:
    return int(self.key > 0) - int(self.key < 0)


@takes("sign", Quantity)
def sign(value: Quantity) -> int:
    return _sign(value)


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
