"""``"...".format([...])`` (cel-go ext.Strings)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from bulkhead.engines.cel.arithmetic import MAX_LENGTH
from bulkhead.engines.cel.errors import CelError, CostExceeded, UnknownValue
from bulkhead.engines.cel.library.conversions import double_text, to_string
from bulkhead.engines.cel.library.signature import takes
from bulkhead.engines.cel.values import CelType, Duration, Timestamp, type_name

_CLAUSE = re.compile(r"%(?:(%)|(?:\.([0-9]{1,4}))?(.?))", re.DOTALL)
_MAX_PRECISION = 1000
_MAX_STEPS = 200_000


@takes("format", str, list)
def format_string(text: str, values: list[Any]) -> str:
    out: list[str] = []
    end = used = length = 0
    for match in _CLAUSE.finditer(text):
        out.append(text[end : match.start()])
        end = match.end()
        if match.group(1):
            out.append("%")
            continue
        clause = _CLAUSES.get(match.group(3))
        if clause is None:
            raise CelError(f"could not parse formatting clause: unrecognized formatting clause {match.group(3)!r}")
        if used >= len(values):
            raise CelError(f"index {used} out of range")
        precision = int(match.group(2)) if match.group(2) else 6
        if precision > _MAX_PRECISION:
            raise CelError(f"precision {precision} is too large")
        out.append(clause(values[used], precision))
        used += 1
        length += len(out[-1])
        if length > MAX_LENGTH:
            raise CostExceeded("the result of format() is too large")
    return "".join([*out, text[end:]])


def _wrong(message: str, value: Any) -> CelError:
    name = type_name(value)
    if name == "unknown":
        return UnknownValue("format() depends on a value that is not known")
    return CelError(f"error during formatting: {message}, was given {name}")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _special(value: float) -> str | None:
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _text(value: Any, _precision: int) -> str:
    return _shown(value, [_MAX_STEPS])


def _shown(value: Any, budget: list[int]) -> str:
    budget[0] -= 1
    if budget[0] < 0:
        raise CostExceeded("format() has too many values to show")
    if value is None:
        return "null"
    if isinstance(value, float):
        return _special(value) or double_text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (str, bool, int, CelType, Timestamp, Duration)):
        return to_string(value)
    if isinstance(value, list):
        return f"[{', '.join(_shown(element, budget) for element in value)}]"
    if isinstance(value, dict):
        entries = sorted((_shown(key, budget), _shown(held, budget)) for key, held in value.items())
        return "{" + ", ".join(f"{key}: {held}" for key, held in entries) + "}"
    raise _wrong(
        "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and "
        "timestamps",
        value,
    )


def _decimal(value: Any, _precision: int) -> str:
    if isinstance(value, float):
        special = _special(value)
        if special is not None:
            return special
    if not _is_integer(value):
        raise _wrong("decimal clause can only be used on integers", value)
    return to_string(value)


def _fixed(value: Any, precision: int) -> str:
    if not isinstance(value, float):
        if not _is_integer(value):
            raise _wrong("fixed-point clause can only be used on doubles", value)
        value = float(value)
    return _special(value) or f"{value:.{precision}f}"


def _scientific(value: Any, precision: int) -> str:
    if not isinstance(value, float):
        if not _is_integer(value):
            raise _wrong("scientific clause can only be used on doubles", value)
        value = float(value)
    return _special(value) or f"{value:.{precision}e}"


def _binary(value: Any, _precision: int) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if not _is_integer(value):
        raise _wrong("only integers and bools can be formatted as binary", value)
    return f"{int(value):b}"


def _octal(value: Any, _precision: int) -> str:
    if not _is_integer(value):
        raise _wrong("octal clause can only be used on integers", value)
    return f"{int(value):o}"


def _hexadecimal(value: Any, _precision: int) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").hex()
    if isinstance(value, bytes):
        return value.hex()
    if not _is_integer(value):
        raise _wrong("only integers, byte buffers, and strings can be formatted as hex", value)
    return f"{int(value):x}"


_CLAUSES: dict[str, Callable[[Any, int], str]] = {
    "s": _text,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": _octal,
    "x": _hexadecimal,
    "X": lambda value, precision: _hexadecimal(value, precision).upper(),
}
