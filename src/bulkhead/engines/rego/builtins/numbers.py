"""Arithmetic, bits and ranges. Integers are exact; other numbers are binary with 64 bits of mantissa, as OPA's are."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction
from typing import Any

from bulkhead.engines.rego.builtins.operands import (
    MAX_BITS,
    MAX_ITEMS,
    Number,
    number,
    too_large,
    whole,
    wrong_element,
    wrong_type,
)
from bulkhead.engines.rego.errors import BuiltinError, OperandError
from bulkhead.engines.rego.values import Set, exact, integer, settled

_BITS = 64
_MAX_EXPONENT = 20_000


def _fraction(value: Number) -> Fraction:
    """The number as OPA calculates with it."""
    if type(value) is int:
        found = Fraction(value)
    else:
        text = exact(value)
        if abs(text.adjusted()) > _MAX_EXPONENT:
            raise too_large()
        found = Fraction(text)
    return _rounded(found)


def _rounded(value: Fraction) -> Fraction:
    """The nearest number of 64 bits; of two, the even one."""
    if not value:
        return value
    size = abs(value.numerator).bit_length() - value.denominator.bit_length()
    shift = _BITS - size
    scaled = value * (Fraction(2) ** shift)
    if abs(scaled) >= 2**_BITS:
        shift -= 1
    elif abs(scaled) < 2 ** (_BITS - 1):
        shift += 1
    factor = Fraction(2) ** shift
    return Fraction(round(value * factor)) / factor


def _shortest(value: Fraction) -> Number:
    """The shortest decimal number that is this one among those of 64 bits."""
    if value.denominator == 1:
        return int(value)
    for digits in range(1, 25):
        # Rounding to nearest at each length, until the way back gives the same.
        context = Context(prec=digits)
        near = context.divide(Decimal(value.numerator), Decimal(value.denominator))
        if _rounded(Fraction(near)) == value:
            return settled(near)
    return settled(Context(prec=25).divide(Decimal(value.numerator), Decimal(value.denominator)))


def _float(operation: Callable[[Fraction, Fraction], Fraction], a: Number, b: Number) -> Number:
    return _shortest(_rounded(operation(_fraction(a), _fraction(b))))


def _big(value: int) -> int:
    if value.bit_length() > MAX_BITS:
        raise too_large()
    return value


def plus(a: Any, b: Any) -> Any:
    number(a, 1)
    number(b, 2)
    x, y = integer(a), integer(b)
    return _big(x + y) if x is not None and y is not None else _float(lambda p, q: p + q, a, b)


def mul(a: Any, b: Any) -> Any:
    number(a, 1)
    number(b, 2)
    x, y = integer(a), integer(b)
    return _big(x * y) if x is not None and y is not None else _float(lambda p, q: p * q, a, b)


def minus(a: Any, b: Any) -> Any:
    one, two = _is_number(a), _is_number(b)
    if one and two:
        x, y = integer(a), integer(b)
        return _big(x - y) if x is not None and y is not None else _float(lambda p, q: p - q, a, b)
    if type(a) is Set and type(b) is Set:
        return difference(a, b)
    if not one and type(a) is not Set:
        raise wrong_type(1, a, "number", "set")
    raise wrong_type(2, b, "set" if two else "number")


def difference(a: Any, b: Any) -> Set:
    held = b.forms
    return Set(value for key, value in a.forms.items() if key not in held)


def _is_number(value: Any) -> bool:
    return type(value) in {int, float, Decimal}


def div(a: Any, b: Any) -> Any:
    number(a, 1)
    number(b, 2)
    below = _fraction(b)
    if not below:
        raise BuiltinError("divide by zero")
    x, y = integer(a), integer(b)
    if x is not None and y and x % y == 0 and x.bit_length() <= _BITS:
        return x // y
    return _shortest(_rounded(_fraction(a) / below))


def rem(a: Any, b: Any) -> Any:
    if not _is_number(a):
        raise wrong_type(1, a, "number")
    if not _is_number(b):
        raise wrong_type(2, b, "number")
    x, y = integer(a), integer(b)
    if x is None or y is None:
        raise BuiltinError("modulo on floating-point number")
    if y == 0:
        raise BuiltinError("modulo by zero")
    left = abs(x) % abs(y)
    return -left if x < 0 else left


def absolute(a: Any) -> Any:
    return abs(number(a, 1))


def rounded(a: Any) -> Any:
    value = number(a, 1)
    if type(value) is int:
        return value
    found = _fraction(value)
    half = Fraction(1, 2)
    return int(found + half) if found > 0 else int(found - half)


def ceil(a: Any) -> Any:
    value = number(a, 1)
    return value if type(value) is int else -(-_fraction(value) // 1)


def floor(a: Any) -> Any:
    value = number(a, 1)
    return value if type(value) is int else _fraction(value) // 1


def _members(a: Any) -> list[Any]:
    if type(a) is not list and type(a) is not Set:
        raise wrong_type(1, a, "set", "array")
    found = list(a)
    for item in found:
        if not _is_number(item):
            raise wrong_element(1, a, item, "number")
    return found


def total(a: Any) -> Any:
    found = _members(a)
    if all(type(item) is int for item in found):
        return sum(found)
    result: Any = 0
    for item in found:
        result = plus(result, item)
    return result


def product(a: Any) -> Any:
    result: Any = 1
    for item in _members(a):
        result = mul(result, item)
    return result


# Bits


def _bits(operation: Callable[[int, int], int]) -> Callable[[Any, Any], int]:
    return lambda a, b: operation(whole(a, 1, "integer"), whole(b, 2, "integer"))


bits_and = _bits(lambda a, b: a & b)
bits_or = _bits(lambda a, b: a | b)
bits_xor = _bits(lambda a, b: a ^ b)


def bits_negate(a: Any) -> int:
    return ~whole(a, 1, "integer")


def _shift(a: Any, b: Any) -> tuple[int, int]:
    value, by = whole(a, 1, "integer"), whole(b, 2, "integer")
    if by < 0:
        raise OperandError("operand 2 must be an unsigned integer number but got a negative integer")
    return value, by


def shift_left(a: Any, b: Any) -> int:
    value, by = _shift(a, b)
    if by > MAX_BITS:
        raise too_large()
    return _big(value << by)


def shift_right(a: Any, b: Any) -> int:
    value, by = _shift(a, b)
    return value >> min(by, MAX_BITS)


# Ranges


def span(a: Any, b: Any) -> list[int]:
    return _range(whole(a, 1, "integer"), whole(b, 2, "integer"), 1)


def span_step(a: Any, b: Any, step: Any) -> list[int]:
    first, last = whole(a, 1, "integer"), whole(b, 2, "integer")
    by = whole(step, 3, "integer")
    if by <= 0:
        raise BuiltinError("numbers.range_step: step must be a positive integer")
    return _range(first, last, by)


def _range(first: int, last: int, step: int) -> list[int]:
    found = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    if abs(last - first) // step > MAX_ITEMS:
        raise too_large()
    return list(found)


_FORMATS = {2: "b", 8: "o", 10: "d", 16: "x"}


def format_int(a: Any, base: Any) -> str:
    value = number(a, 1)
    radix = _FORMATS.get(number(base, 2))  # type: ignore[arg-type]
    if radix is None or type(base) is not int:
        raise OperandError("operand 2 must be one of {2, 8, 10, 16}")
    known = integer(value)
    found = known if known is not None else int(exact(value).to_integral_value(ROUND_DOWN))
    return format(found, radix)


def from_decimal(value: Decimal, factor: int) -> Fraction:
    """A decimal number times another, as numbers of 64 bits."""
    return _rounded(_rounded(Fraction(value)) * factor)
