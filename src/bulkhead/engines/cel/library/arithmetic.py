"""math.* (cel-go ext.Math)."""

from __future__ import annotations

import math
from typing import Any

from bulkhead.engines.cel.arithmetic import integer
from bulkhead.engines.cel.errors import CelError, refusal
from bulkhead.engines.cel.library.signature import takes
from bulkhead.engines.cel.values import UINT_MAX, UInt

_NUMBER = (int, float)


def greatest(*values: Any) -> Any:
    return _extreme("math.greatest", values, 1)


def least(*values: Any) -> Any:
    return _extreme("math.least", values, -1)


def _extreme(name: str, values: tuple[Any, ...], sign: int) -> Any:
    if len(values) == 1 and isinstance(values[0], list):
        values = tuple(values[0])
        if not values:
            raise CelError(f"{name}(list) argument must not be empty")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, _NUMBER):
            raise refusal(name, *values)
    best = values[0]
    for value in values[1:]:
        if (value > best) if sign > 0 else (value < best):
            best = value
    return best


@takes("math.abs", _NUMBER)
def absolute(value: Any) -> Any:
    if type(value) is UInt or isinstance(value, float):
        return value if type(value) is UInt else abs(value)
    return integer(abs(value))


@takes("math.ceil", float)
def ceil(value: float) -> float:
    return float(math.ceil(value)) if math.isfinite(value) else value


@takes("math.floor", float)
def floor(value: float) -> float:
    return float(math.floor(value)) if math.isfinite(value) else value


@takes("math.trunc", float)
def trunc(value: float) -> float:
    return float(math.trunc(value)) if math.isfinite(value) else value


@takes("math.round", float)
def rounded(value: float) -> float:
    """Half away from zero, unlike Python."""
    if not math.isfinite(value):
        return value
    whole = math.floor(abs(value))
    return math.copysign(whole + (abs(value) - whole >= 0.5), value)


@takes("math.sign", _NUMBER)
def sign(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isnan(value) or value == 0 else math.copysign(1.0, value)
    return type(value)((value > 0) - (value < 0))


@takes("math.sqrt", _NUMBER)
def sqrt(value: Any) -> float:
    return math.sqrt(value) if value >= 0 else math.nan


@takes("math.isNaN", float)
def is_nan(value: float) -> bool:
    return math.isnan(value)


@takes("math.isInf", float)
def is_inf(value: float) -> bool:
    return math.isinf(value)


@takes("math.isFinite", float)
def is_finite(value: float) -> bool:
    return math.isfinite(value)


def _same(name: str, left: Any, right: Any) -> None:
    if type(left) is not type(right) or type(left) not in {int, UInt}:
        raise refusal(name, left, right)


def bit_and(left: Any, right: Any) -> Any:
    _same("math.bitAnd", left, right)
    return type(left)(int(left) & int(right))


def bit_or(left: Any, right: Any) -> Any:
    _same("math.bitOr", left, right)
    return type(left)(int(left) | int(right))


def bit_xor(left: Any, right: Any) -> Any:
    _same("math.bitXor", left, right)
    return type(left)(int(left) ^ int(right))


@takes("math.bitNot", int)
def bit_not(value: int) -> int:
    return UInt(UINT_MAX ^ int(value)) if type(value) is UInt else ~value


@takes("math.bitShiftLeft", int, int)
def shift_left(value: int, by: int) -> int:
    _offset(by)
    return _reduced(value, (int(value) << by) & UINT_MAX if by < 64 else 0)


@takes("math.bitShiftRight", int, int)
def shift_right(value: int, by: int) -> int:
    """A logical shift: the sign is a bit like the others."""
    _offset(by)
    return _reduced(value, (int(value) & UINT_MAX) >> by if by < 64 else 0)


def _offset(by: int) -> None:
    if by < 0:
        raise CelError(f"negative offset: {by}")


def _reduced(like: int, bits: int) -> int:
    if type(like) is UInt:
        return UInt(bits)
    return bits - 2**64 if bits >= 2**63 else bits
