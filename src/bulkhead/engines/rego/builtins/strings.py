"""Strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bulkhead.engines.rego.builtins.operands import (
    MAX_ITEMS,
    MAX_TEXT,
    array,
    bounded,
    object_,
    text,
    texts,
    too_large,
    whole,
    wrong_element,
    wrong_type,
)
from bulkhead.engines.rego.builtins.shown import argument, printed, shown
from bulkhead.engines.rego.errors import BuiltinError, OperandError
from bulkhead.engines.rego.values import Set, items

_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""What Go's unicode.IsSpace takes for one."""


def concat(separator: Any, values: Any) -> str:
    text(separator, 1)
    if type(values) is not list and type(values) is not Set:
        raise wrong_type(2, values, "set", "array")
    found = values if type(values) is list else list(values)
    try:
        size = sum(map(len, found)) + len(separator) * len(found)
        if size > MAX_TEXT:
            raise too_large()
        made: str = separator.join(found)
    except TypeError:
        wrong = next(item for item in found if type(item) is not str)
        raise wrong_element(2, values, wrong, "string") from None
    return made


def contains(a: Any, b: Any) -> bool:
    return text(b, 2) in text(a, 1) if type(a) is str else bool(text(a, 1))


def starts_with(a: Any, b: Any) -> bool:
    return text(a, 1).startswith(text(b, 2))


def ends_with(a: Any, b: Any) -> bool:
    return text(a, 1).endswith(text(b, 2))


def occurrences(a: Any, b: Any) -> int:
    return text(a, 1).count(text(b, 2))


def index_of(a: Any, b: Any) -> int:
    text(a, 1)
    if not text(b, 2):
        raise BuiltinError("empty search character")
    found: int = a.find(b)
    return found


def indexes_of(a: Any, b: Any) -> list[int]:
    text(a, 1)
    if not text(b, 2):
        raise BuiltinError("empty search character")
    made: list[int] = []
    at = a.find(b)
    while at >= 0:
        made.append(at)
        if len(made) > MAX_ITEMS:
            raise too_large()
        at = a.find(b, at + 1)
    return made


def substring(a: Any, start: Any, length: Any) -> str:
    text(a, 1)
    first, size = whole(start, 2), whole(length, 3)
    if first < 0:
        raise BuiltinError("negative offset")
    found: str = a[first:] if size < 0 else a[first : first + size]
    return found


def lower(a: Any) -> str:
    # Go folds one character to one; Python knows characters that become two.
    found = text(a, 1)
    return found.lower() if found.isascii() else "".join(_one(char, char.lower()) for char in found)


def upper(a: Any) -> str:
    found = text(a, 1)
    return found.upper() if found.isascii() else "".join(_one(char, char.upper()) for char in found)


def _one(char: str, folded: str) -> str:
    return folded if len(folded) == 1 else char


def split(a: Any, delimiter: Any) -> list[str]:
    return _split(text(a, 1), text(delimiter, 2))


def _split(a: str, delimiter: str) -> list[str]:
    if not delimiter:
        return list(a)
    return a.split(delimiter)


def split_n(a: Any, delimiter: Any, count: Any) -> list[str]:
    text(a, 1)
    text(delimiter, 2)
    limit = whole(count, 3)
    parts = _split(a, delimiter)
    return parts[: max(limit, 0)] if limit >= 0 else parts[max(len(parts) + limit, 0) :]


def replace(a: Any, old: Any, new: Any) -> str:
    text(a, 1)
    text(old, 2)
    text(new, 3)
    growth = len(new) - len(old)
    if growth > 0 and (a.count(old) if old else len(a) + 1) * growth + len(a) > MAX_TEXT:
        raise too_large()
    made: str = a.replace(old, new)
    return made


def replace_n(patterns: Any, a: Any) -> str:
    """All at once: at each place the first pattern that fits, in the order of the patterns."""
    import re

    pairs = items(object_(patterns, 1))
    text(a, 2)
    found: dict[str, str] = {}
    for key, value in pairs:
        if type(key) is not str:
            raise OperandError("operand 1 non-string key found in pattern object")
        if type(value) is not str:
            raise OperandError("operand 1 non-string value found in pattern object")
        found[key] = value
    if not found:
        return str(a)
    if len(found) == 1:
        [(old, new)] = found.items()
        return replace(a, old, new)
    pattern = re.compile("|".join(re.escape(key) for key in found))
    size = 0

    def one(match: re.Match[str]) -> str:
        nonlocal size
        size += len(found[match.group()])
        if size > MAX_TEXT:
            raise too_large()
        return found[match.group()]

    return pattern.sub(one, a)


def reverse(a: Any) -> str:
    return text(a, 1)[::-1]


def trim(a: Any, cut: Any) -> str:
    return text(a, 1).strip(text(cut, 2)) if cut else text(a, 1) + text(cut, 2)


def trim_left(a: Any, cut: Any) -> str:
    return text(a, 1).lstrip(text(cut, 2)) if cut else text(a, 1) + text(cut, 2)


def trim_right(a: Any, cut: Any) -> str:
    return text(a, 1).rstrip(text(cut, 2)) if cut else text(a, 1) + text(cut, 2)


def trim_prefix(a: Any, prefix: Any) -> str:
    return text(a, 1).removeprefix(text(prefix, 2))


def trim_suffix(a: Any, suffix: Any) -> str:
    return text(a, 1).removesuffix(text(suffix, 2))


def trim_space(a: Any) -> str:
    return text(a, 1).strip(_SPACES)


def _any_match(test: Callable[[str, tuple[str, ...]], bool]) -> Callable[[Any, Any], bool]:
    def match(a: Any, b: Any) -> bool:
        found, ends = _some_texts(a, 1), tuple(_some_texts(b, 2))
        return any(test(item, ends) for item in found)

    return match


def _some_texts(a: Any, position: int) -> list[str]:
    if type(a) is str:
        return [a]
    if type(a) is not list and type(a) is not Set:
        raise wrong_type(position, a, "string", "set", "array")
    return texts(a, position)


any_prefix = _any_match(lambda item, ends: item.startswith(ends))
any_suffix = _any_match(lambda item, ends: item.endswith(ends))


def sprintf(format_: Any, args: Any) -> str:
    return bounded(printed(text(format_, 1), [argument(item) for item in array(args, 2)]))


def template(parts: Any) -> str:
    """A template string: each part is a set of what it can be, or the text itself."""
    out: list[str] = []
    for part in array(parts, 1):
        if type(part) is not Set:
            out.append(part if type(part) is str else shown(part))
            continue
        found = list(part)
        if len(found) > 1:
            from bulkhead.engines.rego.errors import ConflictError

            raise ConflictError("template-strings must not produce multiple outputs")
        out.append("<undefined>" if not found else (found[0] if type(found[0]) is str else shown(found[0])))
    return bounded("".join(out))
