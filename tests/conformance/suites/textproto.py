"""Protocol buffers' text format, without a schema: every field is a list of values."""

from __future__ import annotations

import re
from typing import Any

Message = dict[str, list[Any]]

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>[-+]?[A-Za-z0-9_.][-+A-Za-z0-9_./]*)
    |(?P<mark>[{}<>\[\]:,;])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Word(str):
    """A number, an enum constant or a bool, still as text."""

    __slots__ = ()


def parse(text: str) -> Message:
    tokens: list[Any] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"unexpected text at {at}: {text[at : at + 20]!r}")
        if match.lastgroup == "string":
            tokens.append(("string", _unescaped(match.group()[1:-1])))
        elif match.lastgroup is not None:
            tokens.append((match.lastgroup, match.group()))
        at = match.end()
    tokens.append(("end", ""))
    message, _ = _message(tokens, 0)
    return message


def _message(tokens: list[Any], at: int) -> tuple[Message, int]:
    message: Message = {}
    while tokens[at][0] != "end" and tokens[at] not in {("mark", "}"), ("mark", ">")}:
        if tokens[at] in {("mark", ","), ("mark", ";")}:
            at += 1
            continue
        if tokens[at] == ("mark", "["):
            end = tokens.index(("mark", "]"), at)
            name, at = "[" + "".join(token[1] for token in tokens[at + 1 : end]) + "]", end + 1
        else:
            name, at = tokens[at][1], at + 1
        if tokens[at] == ("mark", ":"):
            at += 1
        value, at = _value(tokens, at)
        message.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return message, at


def _value(tokens: list[Any], at: int) -> tuple[Any, int]:
    kind, text = tokens[at]
    if (kind, text) in {("mark", "{"), ("mark", "<")}:
        message, at = _message(tokens, at + 1)
        return message, at + 1
    if (kind, text) == ("mark", "["):
        values: list[Any] = []
        at += 1
        while tokens[at] != ("mark", "]"):
            if tokens[at] == ("mark", ","):
                at += 1
                continue
            value, at = _value(tokens, at)
            values.append(value)
        return values, at + 1
    if kind == "string":
        at += 1
        while tokens[at][0] == "string":
            text += tokens[at][1]
            at += 1
        return text, at
    return Word(text), at + 1


def _unescaped(text: str) -> bytes:
    out = bytearray()
    end = 0
    for match in _ESCAPE.finditer(text):
        out += text[end : match.start()].encode()
        end = match.end()
        octal, hexadecimal, short, long, simple = match.groups()
        if octal or hexadecimal:
            out.append(int(octal, 8) if octal else int(hexadecimal, 16))
        elif short or long:
            out += chr(int(short or long, 16)).encode()
        else:
            out += _SIMPLE.get(simple, simple).encode()
    return bytes(out) + text[end:].encode()
