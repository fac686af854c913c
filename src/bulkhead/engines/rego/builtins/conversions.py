"""One type to another."""

from __future__ import annotations

from typing import Any

from bulkhead.core.patterns import later
from bulkhead.engines.rego import values
from bulkhead.engines.rego.builtins.operands import Number, wrong_type
from bulkhead.engines.rego.errors import BuiltinError

MAX_DIGITS = 10_000
_NUMBER = later(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX = later(r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")


def type_name(a: Any) -> str:
    return values.type_name(a)


def to_number(a: Any) -> Number:
    if a is None:
        return 0
    if type(a) is bool:
        return int(a)
    if type(a) is not str:
        if values.type_name(a) != "number":
            raise wrong_type(1, a, "null", "boolean", "number", "string")
        return a  # type: ignore[no-any-return]
    if a.lstrip("+-").lower() in {"inf", "infinity", "nan"}:
        raise wrong_type(1, a, "valid number string")
    # Go reads 1_000 as a number, and what is larger than it can hold as an error.
    plain = a.replace("_", "") if "_" in a and a[:1].isdigit() and "__" not in a and not a.endswith("_") else a
    if len(plain) > MAX_DIGITS or not _NUMBER.fullmatch(plain):
        if _HEX.fullmatch(plain):
            return float.fromhex(plain)
        raise BuiltinError(f"strconv.ParseFloat: parsing {a[:100]!r}: invalid syntax")
    if float(plain) in {float("inf"), float("-inf")}:
        raise BuiltinError(f"strconv.ParseFloat: parsing {a[:100]!r}: value out of range")
    return values.number(plain.removeprefix("+"))
