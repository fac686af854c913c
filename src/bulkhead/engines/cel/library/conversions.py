"""Type conversions (CEL definition, "List of Standard Definitions")."""

from __future__ import annotations

import math
import re
from typing import Any

from bulkhead.engines.cel.arithmetic import NANOSECONDS, integer, unsigned
from bulkhead.engines.cel.errors import CelError, UnknownValue, refusal
from bulkhead.engines.cel.values import TYPES, CelType, Duration, Opaque, Timestamp, UInt, type_name

_INTEGER = re.compile(r"[-+]?[0-9]{1,40}", re.ASCII)
_DOUBLE = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,6})?", re.ASCII)
_SPECIAL = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_TRUE = frozenset({"1", "t", "true", "TRUE", "True", "T"})
_FALSE = frozenset({"0", "f", "false", "FALSE", "False", "F"})


def to_int(value: Any) -> int:
    if isinstance(value, bool):
        raise refusal("int", value)
    if isinstance(value, int):
        return integer(int(value))
    if isinstance(value, float):
        if not -(2.0**63) < value < 2.0**63:
            raise CelError("double to int conversion is out of range")
        return int(value)
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value):
            raise CelError("type conversion error from 'string' to 'int'")
        return integer(int(value))
    if isinstance(value, Timestamp):
        return int(value.key // NANOSECONDS)
    if isinstance(value, Duration):
        return int(value.key)
    raise refusal("int", value)


def to_uint(value: Any) -> UInt:
    if isinstance(value, bool):
        raise refusal("uint", value)
    if isinstance(value, int):
        return unsigned(int(value))
    if isinstance(value, float):
        if not 0 <= value < 2.0**64:
            raise CelError("double to uint conversion is out of range")
        return UInt(value)
    if isinstance(value, str):
        if not _INTEGER.fullmatch(value) or value[0] in "+-":
            raise CelError("type conversion error from 'string' to 'uint'")
        return unsigned(int(value))
    raise refusal("uint", value)


def to_double(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise CelError("integer is too large for a double") from None
    if isinstance(value, str):
        if _DOUBLE.fullmatch(value):
            return float(value)
        word = value.lower().lstrip("+-")
        if word in _SPECIAL and len(value) - len(word) <= 1:
            return -_SPECIAL[word] if value[0] == "-" else _SPECIAL[word]
        raise CelError("type conversion error from 'string' to 'double'")
    raise refusal("double", value)


def to_string(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(integer(int(value)) if type(value) is not UInt else int(value))
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
    if isinstance(value, (Timestamp, Duration)):
        from bulkhead.engines.cel.library.instants import duration_text, timestamp_text

        return timestamp_text(value) if isinstance(value, Timestamp) else duration_text(value)
    if isinstance(value, Opaque) and "string" in value.methods:
        return str(value.methods["string"](value))
    if isinstance(value, CelType):
        return value.name
    raise refusal("string", value)


def double_text(value: float) -> str:
    """The shortest digits that read back the same, as Go's 'g' writes them."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(value)
    return text.removesuffix(".0")


def to_bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    raise refusal("bytes", value)


def to_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        if value in _TRUE or value in _FALSE:
            return value in _TRUE
        raise CelError("type conversion error from 'string' to 'bool'")
    raise refusal("bool", value)


def type_of(value: Any) -> CelType:
    name = type_name(value)
    if name == "unknown":
        raise UnknownValue("type() depends on a value that is not known")
    return TYPES.get(name) or CelType(name)
