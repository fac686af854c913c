r"""Regular expressions with RE2's meaning, on RE2 itself; a small subset that Python's ``re`` reads alike is quicker there."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from bulkhead.core.patterns import later
from bulkhead.engines.cel.errors import CelError, CostExceeded
from bulkhead.engines.cel.library.patterns import Pattern, compiled
from bulkhead.engines.rego.builtins.operands import MAX_TEXT, raw, text, too_large, whole
from bulkhead.engines.rego.errors import BudgetError, BuiltinError

_GROUP = later(r"\$(?:\$|([0-9A-Za-z_]+)|\{([0-9A-Za-z_]+)\})")
_MAX_MATCHES = 1_000_000


def compile_pattern(source: str) -> Pattern:
    """A pattern.

    Raises:
        BuiltinError: it is none.
        BudgetError: it is larger than we take one.
    """
    try:
        return compiled(source)
    except CostExceeded as error:
        raise BudgetError(str(error)) from None
    except CelError as error:
        if "too large" in str(error):
            raise BudgetError(str(error)) from None
        raise BuiltinError(str(error)) from None


def match(pattern: Any, a: Any) -> bool:
    text(pattern, 1)
    text(a, 2)
    return compile_pattern(pattern).search(a) if a.isascii() else _search(pattern, a)


def _search(pattern: str, a: str) -> bool:
    return compile_pattern(pattern).exact.search(_readable(a)) is not None


def _readable(a: str) -> str:
    """RE2 reads bytes that are no text as U+FFFD."""
    return raw(a).decode("utf-8", "replace")


def is_valid(pattern: Any) -> bool:
    if type(pattern) is not str:
        return False
    try:
        compile_pattern(pattern)
    except BuiltinError:
        return False
    return True


def _matches(pattern: str, a: str, limit: int) -> list[Any]:
    """As Go finds them: an empty match right behind another one does not count."""
    found: list[Any] = []
    end = -1
    for one in compile_pattern(pattern).exact.finditer(_readable(a)):
        if len(found) == limit or len(found) > _MAX_MATCHES:
            break
        if one.start() == one.end() == end:
            continue
        end = one.end()
        found.append(one)
    return found


def split(pattern: Any, a: Any) -> list[str]:
    text(pattern, 1)
    text(a, 2)
    if not a:
        return [""]
    # As Go splits: an empty match at the very start gives nothing, and one at the end stands for no further part.
    parts: list[str] = []
    start = end = 0
    for one in _matches(pattern, a, -1):
        if one.end() == 0:
            continue
        end = one.start()
        parts.append(a[start:end])
        start = one.end()
    if end != len(a):
        parts.append(a[start:])
    return parts


def find(pattern: Any, a: Any, limit: Any) -> list[str]:
    text(pattern, 1)
    text(a, 2)
    return [str(one.group()) for one in _matches(pattern, a, whole(limit, 3))]


def find_groups(pattern: Any, a: Any, limit: Any) -> list[list[str]]:
    text(pattern, 1)
    text(a, 2)
    return [[one.group(), *(group or "" for group in one.groups())] for one in _matches(pattern, a, whole(limit, 3))]


def replace(a: Any, pattern: Any, new: Any) -> str:
    text(a, 1)
    text(pattern, 2)
    text(new, 3)
    exact = compile_pattern(pattern).exact
    out: list[str] = []
    end = size = 0
    for one in _matches(pattern, a, -1):
        out += [a[end : one.start()], _filled(new, one, exact)]
        size += len(out[-1]) + len(out[-2])
        if size > MAX_TEXT:
            raise too_large()
        end = one.end()
    return "".join([*out, a[end:]])


def _filled(new: str, one: Any, exact: Any) -> str:
    """``$1``, ``${1}`` and ``$name`` stand for groups; what is no group is empty (Go's Expand)."""

    def group(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name is None:
            return "$"
        if name.isdigit():
            number = int(name)
            return (one.group(number) or "") if number <= exact.groups else ""
        return (one.group(exact.groupindex[name]) or "") if name in exact.groupindex else ""

    return _GROUP.sub(group, new)


# Templates

_META = frozenset(r"\.+*?()|[]{}^$")


def quote_meta(a: str) -> str:
    return "".join(f"\\{char}" if char in _META else char for char in a)


def template_match(template: Any, a: Any, start: Any, end: Any) -> bool:
    text(template, 1)
    text(a, 2)
    for name, value, position in (("start", start, 3), ("end", end, 4)):
        size = len(raw(text(value, position)))
        if size != 1:
            raise BuiltinError(f"{name} delimiter has to be exactly one character long but is {size} long")
    return compile_pattern(_template(template, start, end)).exact.search(_readable(a)) is not None


@lru_cache(maxsize=128)
def _template(template: str, start: str, end: str) -> str:
    """A pattern of plain text with patterns between delimiters."""
    out = ["^"]
    level = at = begun = 0
    for number, char in enumerate(template):
        if char == start:
            level += 1
            if level == 1:
                begun = number
        elif char == end:
            level -= 1
            if level == 0:
                out.append(f"{quote_meta(template[at:begun])}({template[begun + 1 : number]})")
                at = number + 1
        if level < 0:
            break
    if level:
        raise BuiltinError(f'unbalanced braces in "{template[:100]}"')
    return "".join([*out, quote_meta(template[at:]), "$"])
