"""Globs: of names with delimiters, and whether two of a simpler kind have a text in common."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bulkhead.engines.rego.builtins.operands import text, wrong_element, wrong_type
from bulkhead.engines.rego.builtins.patterns import compile_pattern
from bulkhead.engines.rego.builtins.patterns import quote_meta as quoted_pattern
from bulkhead.engines.rego.errors import BuiltinError

MAX_PATTERN = 4096
_SPECIAL = frozenset(r"*?\[]{},")
_MAX_RANGE = 0x110000


def match(pattern: Any, delimiters: Any, a: Any) -> bool:
    text(pattern, 1)
    if delimiters is None:
        found = ""
    elif type(delimiters) is list:
        for item in delimiters:
            if type(item) is not str:
                raise wrong_element(2, delimiters, item, "string")
            if len(item) != 1:
                raise wrong_element(2, delimiters, item, "rune")
        found = "".join(delimiters) or "."
    else:
        raise wrong_type(2, delimiters, "array", "null")
    text(a, 3)
    return compile_pattern(_translated(pattern, found)).exact.search(a) is not None


@lru_cache(maxsize=256)
def _translated(pattern: str, delimiters: str) -> str:
    """The glob as a pattern of RE2."""
    if len(pattern) > MAX_PATTERN:
        raise BuiltinError(f"a glob is longer than {MAX_PATTERN} characters")
    single = f"[^{''.join(map(_in_class, delimiters))}]" if delimiters else "."
    out = ["(?s)^"]
    at = depth = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            if pattern.startswith("*", at):
                while pattern.startswith("*", at):
                    at += 1
                out.append(".*")
            else:
                out.append(f"{single}*")
        elif char == "?":
            out.append(single)
        elif char == "\\":
            if at >= len(pattern):
                raise BuiltinError("unexpected end of input")
            out.append(quoted_pattern(pattern[at]))
            at += 1
        elif char == "[":
            part, at = _class(pattern, at)
            out.append(part)
        elif char == "{":
            depth += 1
            out.append("(?:")
        elif char == "}" and depth:
            depth -= 1
            out.append(")")
        elif char == "," and depth:
            out.append("|")
        else:
            out.append(quoted_pattern(char))
    if depth:
        raise BuiltinError("unexpected end of input")
    out.append("$")
    return "".join(out)


def _in_class(char: str) -> str:
    return f"\\{char}" if char in r"\]^-[" else char


def _class(pattern: str, at: int) -> tuple[str, int]:
    """``[abc]``, ``[a-c]`` and both with ``!``."""
    negated = pattern.startswith("!", at)
    at += negated
    chars: list[str] = []
    begun = at
    while True:
        if at >= len(pattern):
            raise BuiltinError("unexpected end of input")
        char = pattern[at]
        if char == "]" and at > begun:
            break
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            char = pattern[at]
        chars.append(char)
        at += 1
    if len(chars) == 3 and chars[1] == "-":
        if chars[0] > chars[2]:
            raise BuiltinError("hi character should be greater than lo character")
        inside = f"{_in_class(chars[0])}-{_in_class(chars[2])}"
    else:
        inside = "".join(map(_in_class, chars))
    return f"[{'^' if negated else ''}{inside}]", at + 1


def quote_meta(a: Any) -> str:
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text(a, 1))


# Two patterns of characters, ``.``, sets, ``*`` and ``+``

_Range = tuple[int, int]
_Token = tuple[tuple[_Range, ...], str]
_ANY: tuple[_Range, ...] = ((0, _MAX_RANGE),)


def globs_match(a: Any, b: Any) -> bool:
    """Whether a text matches both."""
    one, two = _tokens(text(a, 1)), _tokens(text(b, 2))
    seen = {(0, 0)}
    stack = [(0, 0)]
    while stack:
        i, j = stack.pop()
        if i == len(one) and j == len(two):
            return True
        for state in _steps(one, i, two, j):
            if state not in seen:
                seen.add(state)
                stack.append(state)
    return False


def _steps(one: list[_Token], i: int, two: list[_Token], j: int) -> list[tuple[int, int]]:
    """From a pair of places to those that one more character of both, or an omission, leads to."""
    out: list[tuple[int, int]] = []
    if i < len(one) and one[i][1] == "*":
        out.append((i + 1, j))
    if j < len(two) and two[j][1] == "*":
        out.append((i, j + 1))
    if i < len(one) and j < len(two) and _meet(one[i][0], two[j][0]):
        out += [(i + p, j + q) for p in _moves(one[i]) for q in _moves(two[j])]
    return out


def _moves(token: _Token) -> tuple[int, ...]:
    return (0, 1) if token[1] else (1,)


def _meet(one: tuple[_Range, ...], two: tuple[_Range, ...]) -> bool:
    return any(a <= d and c <= b for a, b in one for c, d in two)


def _tokens(pattern: str) -> list[_Token]:
    if len(pattern) > MAX_PATTERN:
        raise BuiltinError(f"a glob is longer than {MAX_PATTERN} characters")
    out: list[_Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char in "*+":
            raise _wrong(pattern, at, f"flag '{char}' must be preceded by a non-flag")
        if char == "]":
            raise _wrong(pattern, at, "set-close ']' with no preceding '['")
        if char == "[":
            ranges, at = _set(pattern, at + 1)
        elif char == ".":
            ranges, at = _ANY, at + 1
        else:
            if char == "\\":
                at += 1
                if at >= len(pattern):
                    raise _wrong(pattern, at, "escape at the end")
                char = pattern[at]
            ranges, at = ((ord(char), ord(char)),), at + 1
        flag = ""
        if at < len(pattern) and pattern[at] in "*+":
            # x+ is x and x*.
            if pattern[at] == "+":
                out.append((ranges, ""))
            flag = "*"
            at += 1
        out.append((ranges, flag))
    return out


def _set(pattern: str, at: int) -> tuple[tuple[_Range, ...], int]:
    ranges: list[_Range] = []
    while True:
        if at >= len(pattern):
            raise _wrong(pattern, at, "set without a closing ']'")
        char = pattern[at]
        if char == "]":
            break
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            char = pattern[at]
        last = char
        if pattern.startswith("-", at + 1) and at + 2 < len(pattern) and pattern[at + 2] != "]":
            last = pattern[at + 2]
            at += 2
            if last < char:
                raise _wrong(pattern, at, "range is out of order")
        ranges.append((ord(char), ord(last)))
        at += 1
    if not ranges:
        raise _wrong(pattern, at, "set is empty")
    return tuple(ranges), at + 1


def _wrong(pattern: str, at: int, message: str) -> BuiltinError:
    return BuiltinError(f"input:{pattern[:100]}, pos:{at + 1}, {message}: the input provided is invalid")
