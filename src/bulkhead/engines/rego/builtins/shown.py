"""Values as text: as OPA writes terms, and as Go's ``fmt`` prints what OPA gives it."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from bulkhead.core.patterns import later
from bulkhead.engines.rego.builtins.operands import MAX_TEXT, raw, too_large
from bulkhead.engines.rego.errors import RegoError
from bulkhead.engines.rego.values import Set, integer, items

_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
}  # fmt: skip


def quoted(text: str, *, ascii_only: bool = False) -> str:
    """A string as Go quotes it (strconv.Quote)."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    out = []
    for char in text:
        code = ord(char)
        if char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif 0xDC80 <= code <= 0xDCFF:
            out.append(f"\\x{code - 0xDC00:02x}")
        elif char.isprintable() and (code < 128 or not ascii_only):
            out.append(char)
        elif code < 128:
            out.append(f"\\x{code:02x}")
        else:
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return f'"{"".join(out)}"'


def number_text(value: Any) -> str:
    """A number as JSON writes it."""
    if type(value) is int:
        return str(value)
    if type(value) is float:
        if value.is_integer() and abs(value) < 1e21:
            return str(value) if abs(value) < 1e16 else str(int(value))
        return repr(value)
    return str(value).replace("E+", "e").replace("E", "e")


def shown(value: Any) -> str:
    """A value as OPA writes a term."""
    parts: list[str] = []
    _show(value, parts, [MAX_TEXT])
    return "".join(parts)


def _show(value: Any, parts: list[str], room: list[int]) -> None:
    kind = type(value)
    if kind is str:
        parts.append(quoted(value))
    elif value is None:
        parts.append("null")
    elif kind is bool:
        parts.append("true" if value else "false")
    elif kind is list:
        _sequence("[", value, "]", parts, room)
    elif isinstance(value, dict):
        parts.append("{")
        for number, (key, item) in enumerate(items(value)):
            parts.append(", " if number else "")
            _show(key, parts, room)
            parts.append(": ")
            _show(item, parts, room)
        parts.append("}")
    elif kind is Set:
        if len(value):
            _sequence("{", value, "}", parts, room)
        else:
            parts.append("set()")
    elif kind is int or kind is float or kind is Decimal:
        parts.append(number_text(value))
    else:
        raise RegoError(f"a value of type {kind.__name__} is none of Rego's")
    room[0] -= 2 + (len(parts[-1]) if kind is str else 0)
    if room[0] < 0:
        raise too_large()


def _sequence(opening: str, values: Any, closing: str, parts: list[str], room: list[int]) -> None:
    parts.append(opening)
    for number, item in enumerate(values):
        if number:
            parts.append(", ")
        _show(item, parts, room)
    parts.append(closing)


# Go's fmt

_VERB = later(r"%(?P<flags>[+\-# 0]*)(?P<width>\*|[0-9]+)?(?:\.(?P<precision>\*|[0-9]*))?(?P<verb>.?)", re.DOTALL)
_INDEXED = later(r"%[+\-# 0]*[0-9]*(?:\.[0-9]*)?\[[^\]]*\]?[0-9.*]*(?P<verb>.?)", re.DOTALL)
_MAX_WIDTH = 1_000_000
_MAX_CACHED = 1_000
_SIMPLE = later(r"%([svdq])")


@lru_cache(maxsize=512)
def _plain_parts(format_: str) -> tuple[str, ...] | None:
    """Text and verbs in turn, where every verb stands alone; None for what is not so simple."""
    parts = _SIMPLE.split(format_)
    return None if any("%" in text for text in parts[::2]) else tuple(parts)


def printed(format_: str, args: list[Any]) -> str:
    """What ``fmt.Sprintf`` makes of these arguments."""
    parts = _plain_parts(format_) if len(format_) <= _MAX_CACHED else None
    if parts is None or len(parts) // 2 != len(args):
        return _printed(format_, args)
    out = [parts[0]]
    at = 1
    for value in args:
        verb = parts[at]
        if type(value) is str and verb != "d":
            out.append(quoted(value) if verb == "q" else value)
        elif type(value) is int and verb in {"d", "v"}:
            out.append(str(value))
        else:
            return _printed(format_, args)
        out.append(parts[at + 1])
        at += 2
    return "".join(out)


def _printed(format_: str, args: list[Any]) -> str:
    out: list[str] = []
    at = used = size = 0
    while True:
        found = format_.find("%", at)
        out.append(format_[at : len(format_) if found < 0 else found])
        if found < 0:
            break
        match = _VERB.match(format_, found)
        assert match is not None
        if match["verb"] == "[":
            text, used, at = _indexed(format_, found, args, used)
        else:
            text, used = _verb(match, args, used)
            at = match.end()
        out.append(text)
        size += len(text)
        if size > MAX_TEXT:
            raise too_large()
    if used < len(args):
        extra = ", ".join(f"{_type(argument)}={_plain(argument)}" for argument in args[used:])
        out.append(f"%!(EXTRA {extra})")
    return "".join(out)


def _indexed(format_: str, at: int, args: list[Any], used: int) -> tuple[str, int, int]:
    """``%[2]d``: the argument is named by its number."""
    close = format_.find("]", at)
    inside = format_[format_.find("[", at) + 1 : close] if close >= 0 else ""
    match = _INDEXED.match(format_, at)
    if not inside.isdigit() or not 1 <= int(inside) <= len(args):
        assert match is not None
        return f"%!{match['verb']}(BADINDEX)", len(args), match.end()
    whole = format_[at : format_.find("[", at)] + format_[close + 1 :]
    plain = _VERB.match(whole)
    assert plain is not None
    text, used = _verb(plain, args, int(inside) - 1)
    return text, max(used, len(args)), at + plain.end() + len(inside) + 2


def _verb(match: re.Match[str], args: list[Any], used: int) -> tuple[str, int]:
    verb = match["verb"]
    if not verb:
        return "%!(NOVERB)", used
    if verb == "%":
        return "%", used
    flags, width, precision = match["flags"], match["width"], match["precision"]
    sizes: list[int | None] = []
    for part in (width, precision):
        if part == "*":
            given = args[used] if used < len(args) else None
            used += 1
            if type(given) is not int or abs(given) > _MAX_WIDTH:
                return "%!(BADWIDTH)" if part is width else "%!(BADPREC)", used
            sizes.append(given)
        else:
            sizes.append(None if part is None else min(int(part or 0), _MAX_WIDTH))
    if used >= len(args):
        return f"%!{verb}(MISSING)", used
    if sizes[0] is not None and sizes[0] < 0:
        flags, sizes[0] = flags + "-", -sizes[0]
    text = _formatted(verb, flags, sizes[1], args[used])
    if text is None:
        text = f"%!{verb}({_type(args[used])}={_plain(args[used])})"
    return _padded(text, flags, sizes[0] or 0, args[used]), used + 1


def _padded(text: str, flags: str, width: int, value: Any) -> str:
    if len(text) >= width:
        return text
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags:
        sign = text[:1] if text[:1] in {"+", "-"} and type(value) is not str else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _type(value: Any) -> str:
    if type(value) is int:
        return "*big.Int" if abs(value) >= 2**63 else "int64"
    return "float64" if type(value) is float else "string"


def _plain(value: Any) -> str:
    return _formatted("v", "", None, value) or ""


def _formatted(verb: str, flags: str, precision: int | None, value: Any) -> str | None:
    """One argument; None where the verb is not for it."""
    if type(value) is int:
        return _integer(verb, flags, precision, value)
    if type(value) is float:
        return _float(verb, flags, precision, value)
    return _text(verb, flags, precision, value)


def _signed(text: str, flags: str) -> str:
    if text.startswith("-"):
        return text
    return f"+{text}" if "+" in flags else (f" {text}" if " " in flags else text)


_BASES = {"d": "d", "v": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}


def _integer(verb: str, flags: str, precision: int | None, value: int) -> str | None:
    if verb in _BASES:
        digits = format(abs(value), _BASES[verb])
        if precision is not None:
            digits = digits.rjust(precision, "0")
        prefix = "0o" if verb == "O" else (_PREFIXES.get(verb, "") if "#" in flags else "")
        return _signed(("-" if value < 0 else "") + prefix + digits, flags)
    if verb == "s" and abs(value) >= 2**63:
        # Go's big integers print themselves.
        return _integer("d", flags, precision, value)
    if verb in {"c", "q"}:
        char = chr(value) if 0 <= value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
        return char if verb == "c" else f"'{quoted(char)[1:-1]}'"
    if verb == "U":
        return f"U+{value:04X}"
    return None


def _float(verb: str, flags: str, precision: int | None, value: float) -> str | None:
    if verb in "eEfF":
        text = format(value, f".{6 if precision is None else precision}{verb}")
    elif verb in "gGv":
        text = _general(value, precision) if verb != "G" else _general(value, precision).upper()
    else:
        return None
    return _signed(text, flags)


def _general(value: float, precision: int | None) -> str:
    """``%g``: the shortest text, with an exponent below -4 and from 21 on."""
    if precision is not None:
        text = format(value, f".{precision or 1}g")
        return re.sub(r"e([+-])([0-9])$", r"e\g<1>0\2", text)
    digits, _, exponent = format(Decimal(repr(value)).normalize(), "e").partition("e")
    power = int(exponent)
    if power < -4 or power >= 21:
        return f"{digits}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return format(Decimal(repr(value)).normalize(), "f")


def _text(verb: str, flags: str, precision: int | None, value: str) -> str | None:
    if precision is not None and verb in "svq":
        value = value[:precision]
    if verb in "sv":
        return quoted(value) if verb == "v" and "#" in flags else value
    if verb == "q":
        if "#" in flags and "`" not in value and value.isprintable():
            return f"`{value}`"
        return quoted(value, ascii_only="+" in flags)
    if verb in "xX":
        found = raw(value)[:precision].hex(" " if " " in flags else "") if value else ""
        prefix = "0x" if "#" in flags and found else ""
        return (prefix + found).upper() if verb == "X" else prefix + found
    return None


def argument(value: Any) -> Any:
    """What OPA gives ``fmt`` for a value: an int, a float or a string."""
    kind = type(value)
    if kind is int or kind is str:
        return value
    if kind is float:
        known = integer(value)
        return value if known is None or "." in number_text(value) else known
    if kind is Decimal:
        near = float(value)
        text = number_text(value)
        return near if "." in text and near not in {float("inf"), float("-inf")} else text
    return shown(value)
