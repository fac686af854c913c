"""Functions on strings (cel-go ext.Strings). Positions count characters."""

from __future__ import annotations

from typing import Any

from bulkhead.engines.cel.arithmetic import MAX_LENGTH
from bulkhead.engines.cel.errors import CelError, CostExceeded, refusal
from bulkhead.engines.cel.library.signature import known, takes

_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_LOWER = {code: code + 32 for code in range(65, 91)}
_UPPER = {code: code - 32 for code in range(97, 123)}
_QUOTED = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\", '"': '\\"',
}  # fmt: skip


@takes("startsWith", str, str)
def starts_with(text: str, prefix: str) -> bool:
    return text.startswith(prefix)


@takes("endsWith", str, str)
def ends_with(text: str, suffix: str) -> bool:
    return text.endswith(suffix)


@takes("contains", str, str)
def contains(text: str, part: str) -> bool:
    return part in text


@takes("charAt", str, int)
def char_at(text: str, position: int) -> str:
    if not 0 <= position <= len(text):
        raise CelError(f"index out of range: {position}")
    return text[position : position + 1]


def index_of(text: Any, part: Any, start: Any = 0) -> int:
    if isinstance(text, list):
        from bulkhead.engines.cel.library.sequences import position_of

        return position_of(text, part)
    return _index_of(text, part, start)


@takes("indexOf", str, str, int)
def _index_of(text: str, part: str, start: int = 0) -> int:
    if start < 0 or (start > len(text) and part):
        raise CelError(f"index out of range: {start}")
    return text.find(part, min(start, len(text)))


def last_index_of(text: Any, part: Any, *start: Any) -> int:
    if isinstance(text, list):
        from bulkhead.engines.cel.library.sequences import last_position_of

        return last_position_of(text, part)
    return _last_index_of(text, part, *start)


@takes("lastIndexOf", str, str, int)
def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


@takes("lowerAscii", str)
def lower(text: str) -> str:
    return text.translate(_LOWER)


@takes("upperAscii", str)
def upper(text: str) -> str:
    return text.translate(_UPPER)


@takes("replace", str, str, str, int)
def replace(text: str, old: str, new: str, count: int = -1) -> str:
    times = text.count(old) if count < 0 else min(count, text.count(old))
    if len(text) + times * (len(new) - len(old)) > MAX_LENGTH:
        raise CostExceeded("the result of replace() is too large")
    return text.replace(old, new, times)


@takes("split", str, str, int)
def split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if limit < 0 or len(parts) <= limit else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return text.split(separator) if limit < 0 else text.split(separator, limit - 1)


@takes("substring", str, int, int)
def substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else end
    if not 0 <= start <= len(text):
        raise CelError(f"index out of range: {start}")
    if not 0 <= stop <= len(text):
        raise CelError(f"index out of range: {stop}")
    if start > stop:
        raise CelError(f"invalid substring range. start: {start}, end: {stop}")
    return text[start:stop]


@takes("trim", str)
def trim(text: str) -> str:
    return text.strip(_SPACES)


@takes("join", list, str)
def join(parts: list[Any], separator: str = "") -> str:
    for part in known("join", parts):
        if not isinstance(part, str):
            raise refusal("join", parts, part)
    if sum(map(len, parts)) + len(separator) * len(parts) > MAX_LENGTH:
        raise CostExceeded("the result of join() is too large")
    return separator.join(parts)


@takes("reverse", (str, list))
def reverse(value: Any) -> Any:
    return value[::-1]


@takes("strings.quote", str)
def quote(text: str) -> str:
    """The text as a CEL literal that prints on one line."""
    out = "".join(_QUOTED.get(character, character) for character in text)
    return '"' + out.encode("utf-8", "replace").decode() + '"'
