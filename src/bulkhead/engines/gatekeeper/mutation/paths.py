"""Where a mutator changes an object: ``spec.containers[name: main].image``, keys quoted where they are no words."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.core.patterns import later

_SIZE: Final = 4096
_TOKEN: Final[re.Pattern[str]] = later(
    r"[ \t\r\n]*(?:(?P<number>[0-9]+)|(?P<word>[A-Za-z_-][A-Za-z0-9_-]*)|(?P<mark>[.\[\]*:])"
    r"|(?P<quoted>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'))"
)
_ESCAPE: Final[re.Pattern[str]] = later(r"\\(.)", re.DOTALL)


class Field(msgspec.Struct, frozen=True):
    """A field of an object."""

    name: str


class Items(msgspec.Struct, frozen=True):
    """Items of a list: the one whose field has a value, or all where ``value`` is None."""

    field: str
    value: str | int | None = None


Path = tuple[Field | Items, ...]
_Token = tuple[Literal["number", "word", "mark", "end"], str, int]


def parse(text: str) -> Path:
    """Raises ParseError where it is no path."""
    if len(text) > _SIZE:
        raise ParseError(f"a location has at most {_SIZE} characters")
    tokens = _tokens(text)
    path: list[Field | Items] = []
    at = 0
    while tokens[at][0] == "word":
        path.append(Field(tokens[at][1]))
        at += 1
        if tokens[at][:2] == ("mark", "["):
            item, at = _items(tokens, at + 1, text)
            path.append(item)
        if tokens[at][:2] == ("mark", "."):
            at += 1
            if tokens[at][0] == "end":
                raise _unexpected(tokens[at], "a field's name", text)
        elif tokens[at][0] != "end":
            raise _unexpected(tokens[at], "a point or the end", text)
    if tokens[at][0] != "end":
        raise _unexpected(tokens[at], "a field's name", text)
    return tuple(path)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    text = text.rstrip(" \t\r\n")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ParseError(f"a location cannot have what is at character {at + 1}", where=text)
        if match["quoted"] is not None:
            found.append(("word", _ESCAPE.sub(r"\1", match["quoted"][1:-1]), at))
        else:
            kind: Any = match.lastgroup
            found.append((kind, match[kind], at))
        at = match.end()
    found.append(("end", "", at))
    return found


def _items(tokens: list[_Token], at: int, text: str) -> tuple[Items, int]:
    if tokens[at][0] != "word":
        raise _unexpected(tokens[at], "the name of a key", text)
    field = tokens[at][1]
    if tokens[at + 1][:2] != ("mark", ":"):
        raise _unexpected(tokens[at + 1], "a colon", text)
    kind, value, _ = token = tokens[at + 2]
    if kind == "number":
        found = Items(field, int(value))
    elif kind == "word":
        found = Items(field, value)
    elif (kind, value) == ("mark", "*"):
        found = Items(field)
    else:
        raise _unexpected(token, "a value of the key or a star", text)
    if tokens[at + 3][:2] != ("mark", "]"):
        raise _unexpected(tokens[at + 3], "the end of the key", text)
    return found, at + 4


def _unexpected(token: _Token, wanted: str, text: str) -> ParseError:
    shown = f"'{token[1]}'" if token[0] != "end" else "the end"
    return ParseError(f"expected {wanted}, found {shown} at character {token[2] + 1} of the location", where=text)
