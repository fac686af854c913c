"""Amounts with units."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.numbers import from_decimal
from bulkhead.engines.rego.builtins.operands import text
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.values import settled

_MAX_EXPONENT_DIGITS = 6
_MAX_EXPONENT = 20_000
_NUMBER = later(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_SI = {name: 1000**power for power, name in enumerate("kmgtpe", 1)}
_BINARY = {f"{name}i": 1024**power for power, name in enumerate("kmgtpe", 1)}
_BYTES = {
    "": 1,
    **{unit: factor for name, factor in _SI.items() for unit in (name, f"{name}b")},
    **{unit: factor for name, factor in _BINARY.items() for unit in (name, f"{name}b")},
}
_UNITS: dict[str, Fraction] = {
    "": Fraction(1),
    # Go's 0.001 as a fraction is the number that a double holds.
    "m": Fraction(0.001),
    "M": Fraction(1000**2),
    **{unit: Fraction(factor) for name, factor in _SI.items() if name != "m" for unit in (name, name.upper())},
    **{unit: Fraction(factor) for name, factor in _BINARY.items() for unit in (name, name.capitalize())},
}


def _parted(value: str, name: str) -> tuple[str, str]:
    """Number and unit."""
    at = 0
    while at < len(value):
        char = value[at]
        if char in "eE":
            follows = value[at + 1 : at + 2]
            if not (follows.isdigit() or follows in {"+", "-"}) or not follows:
                break
            at += follows in {"+", "-"}
            digits = len(value) - at - 1 - len(value[at + 1 :].lstrip("0123456789"))
            if digits > _MAX_EXPONENT_DIGITS:
                raise BuiltinError(f"{name}: exponent too large")
        elif not (char.isdigit() or char in ".+-"):
            break
        at += 1
    return value[:at], value[at:]


def _amount(value: str, name: str, message: str) -> Decimal:
    found = Decimal(value) if _NUMBER.fullmatch(value) else None
    if found is None:
        raise BuiltinError(f"{name}: {message}")
    if abs(found.adjusted()) > _MAX_EXPONENT:
        raise BuiltinError(f"{name}: exponent too large")
    return found


def parse_bytes(a: Any) -> int:
    name = "units.parse_bytes"
    value = text(a, 1).lower().replace('"', "")
    if " " in value:
        raise BuiltinError(f"{name}: spaces not allowed in resource strings")
    number, unit = _parted(value, name)
    if not number:
        raise BuiltinError(f"{name}: no byte amount provided")
    factor = _BYTES.get(unit)
    if factor is None:
        raise BuiltinError(f"{name}: byte unit {unit} not recognized")
    amount = _amount(number, name, "could not parse byte amount to a number")
    return int(from_decimal(amount, factor))


def parse(a: Any) -> Any:
    name = "units.parse"
    value = text(a, 1).replace('"', "")
    if " " in value:
        raise BuiltinError(f"{name}: spaces not allowed in resource strings")
    number, unit = _parted(value, name)
    if not number:
        raise BuiltinError(f"{name}: no amount provided")
    factor = _UNITS.get(unit[:1] + unit[1:].lower())
    if factor is None:
        raise BuiltinError(f"{name}: unit {unit[:1] + unit[1:].lower()} not recognized")
    found = Fraction(_amount(number, name, "could not parse amount to a number")) * factor
    if found.denominator == 1:
        return int(found)
    # Ten digits behind the point, halves away from zero (Go's FloatString).
    scaled = abs(found) * 10**10
    digits = int(scaled + Fraction(1, 2))
    return settled(Decimal(digits if found > 0 else -digits).scaleb(-10))
