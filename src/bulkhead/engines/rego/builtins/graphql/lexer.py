"""Text to tokens (GraphQL, 2.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from bulkhead.core.patterns import later
from bulkhead.engines.rego.errors import BudgetError, BuiltinError

MAX_TOKENS = 100_000
_MARKS = frozenset("!$&():=@[]{}|")
_SPACE = later(r"[\t ,\n\r\ufeff]*")
_NAME = later(r"[_A-Za-z][_0-9A-Za-z]*")
_NUMBER = later(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_COMMENT = later(r"#[\t\x20-\U0010ffff]*")
_STRING = later(r'"((?:[^"\\\n\r\x00-\x08\x0b-\x1f]|\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]))*)"')
_BLOCK = later(r'"""((?:\\"""|(?!""")(?s:.))*)("*)"""')
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = later(r"\\(?:u([0-9a-fA-F]{4})|(.))")


class Token(msgspec.Struct, frozen=True):
    """``kind`` is a mark, Name, Int, Float, String, BlockString, Comment, <EOF> or <Invalid>."""

    kind: str
    value: str
    line: int
    column: int

    def __str__(self) -> str:
        return f'{self.kind} "{self.value}"' if self.value and self.kind not in {"<EOF>", "<Invalid>"} else self.kind


def located(message: str, line: int, column: int) -> BuiltinError:
    """The error in OPA's words."""
    return BuiltinError(f"{message} in GraphQL string at location {line}:{column}")


def tokens(source: str) -> Iterator[Token]:
    """Every token; the last one is the end, or what begins no token.

    Raises:
        BudgetError: there are too many.
    """
    at = begun = 0
    line = 1
    for _ in range(MAX_TOKENS):
        match = _SPACE.match(source, at)
        assert match is not None
        line, begun = _moved(match.group(), match.end(), line, begun)
        at = match.end()
        if at >= len(source):
            yield Token("<EOF>", "", line, at - begun + 1)
            return
        kind, value, end = _token(source, at)
        # What stands in quotes begins behind them.
        inside = {"String": 1, "BlockString": 3}.get(kind, 0)
        first = at - begun + 1 + inside
        line, begun = _moved(source[at:end], end, line, begun)
        if kind == "<Invalid>":
            yield Token(kind, "", line, end - begun + 1)
            return
        yield Token(kind, value, line, first)
        at = end
    raise BudgetError("a GraphQL text has too many tokens")


def _moved(text: str, end: int, line: int, begun: int) -> tuple[int, int]:
    """The line after a text, and where that line begins."""
    if "\n" not in text and "\r" not in text:
        return line, begun
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return line + len(lines) - 1, end - len(lines[-1])


def _token(source: str, at: int) -> tuple[str, str, int]:
    char = source[at]
    if char in _MARKS:
        return char, "", at + 1
    if source.startswith("...", at):
        return "...", "", at + 3
    for kind, pattern in (("Name", _NAME), ("Comment", _COMMENT)):
        match = pattern.match(source, at)
        if match is not None:
            return kind, match.group(), match.end()
    if char == '"':
        return _text(source, at)
    match = _NUMBER.match(source, at)
    if (
        match is not None
        and not source[match.end() : match.end() + 1].isdigit()
        and source[match.end() : match.end() + 1] != "."
    ):
        return "Float" if match[1] or match[2] else "Int", match.group(), match.end()
    return "<Invalid>", "", at


def _text(source: str, at: int) -> tuple[str, str, int]:
    if source.startswith('"""', at):
        match = _BLOCK.match(source, at)
        if match is None:
            return "<Invalid>", "", len(source)
        return "BlockString", _block(match[1].replace('\\"""', '"""') + match[2]), match.end()
    match = _STRING.match(source, at)
    if match is None:
        return "<Invalid>", "", len(source.splitlines()[0]) if at == 0 else at
    return "String", _ESCAPE.sub(_unescaped, match[1]), match.end()


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[2], match[2])


def _indent(line: str) -> int | None:
    stripped = line.lstrip(" \t")
    return len(line) - len(stripped) if stripped else None


def _block(raw: str) -> str:
    """Without the indentation that all lines but the first share, and without empty lines around (2.9.4)."""
    lines = raw.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    indents = [found for found in map(_indent, lines[1:]) if found is not None]
    if indents:
        cut = min(indents)
        lines[1:] = [line[cut:] for line in lines[1:]]
    while lines and _indent(lines[0]) is None:
        lines.pop(0)
    while lines and _indent(lines[-1]) is None:
        lines.pop()
    return "\n".join(lines)
