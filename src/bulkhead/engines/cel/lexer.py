"""Text to tokens (CEL language definition, section "Syntax")."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.cel.values import INT_MAX, UINT_MAX, UInt

KEYWORDS = frozenset({"in", "true", "false", "null"})
RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


class Token(NamedTuple):
    """``kind`` is ``name``, ``quoted`` (a field in backticks), ``value``, ``end``, or the operator's own text."""

    kind: str
    at: int
    value: Any = None


_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\f\r]+|//[^\n]*)
    |(?P<string>(?:[rR][bB]?|[bB][rR]?)?(?:"{3}(?s:(?:[^\\]|\\.)*?)"{3}|'{3}(?s:(?:[^\\]|\\.)*?)'{3}
        |"(?:[^"\\\r\n]|\\[^\r\n])*"|'(?:[^'\\\r\n]|\\[^\r\n])*'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<double>(?:[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?))
    |(?P<integer>0x[0-9a-fA-F]+|[0-9]+)(?P<unsigned>[uU])?
    |(?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
    |(?P<operator>==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
# A raw string ends at the first quote: a backslash escapes nothing in it.
_RAW = re.compile(r"""(?:[rR][bB]?|[bB][rR])(?:"{3}(?s:.*?)"{3}|'{3}(?s:.*?)'{3}|"[^"\r\n]*"|'[^'\r\n]*')""")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(?s:(.?)))"
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def failure(text: str, at: int, message: str, hint: str = "") -> ExpressionError:
    """The error for a place in an expression; lines and columns count from 1."""
    line = text.count("\n", 0, at) + 1
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return ExpressionError(message, where=f"line {line}, column {column}", hint=hint, line=line, column=column)


def tokens(text: str) -> list[Token]:
    """All tokens of an expression, ended by one of kind ``end``."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = _RAW.match(text, at) or _TOKEN.match(text, at)
        if match is None:
            raise failure(text, at, f"unexpected character {text[at]!r}", _hint(text, at))
        kind = match.lastgroup
        word = match.group()
        if kind is None or kind == "string":
            found.append(Token("value", at, _string(text, at, word)))
        elif kind == "name":
            found.append(Token(word if word in KEYWORDS else "name", at, word))
        elif kind == "operator":
            found.append(Token(word, at, word))
        elif kind == "quoted":
            found.append(Token("quoted", at, word[1:-1]))
        elif kind != "space":
            found.append(Token("value", at, _number(text, at, match)))
        at = match.end()
    found.append(Token("end", len(text)))
    return found


def _hint(text: str, at: int) -> str:
    if text[at] in "\"'":
        return "the string is not closed on its line"
    if text[at] in "=&|":
        return f"write {text[at] * 2}"
    return ""


def _number(text: str, at: int, match: re.Match[str]) -> int | float:
    if match.group("double"):
        return float(match.group())
    digits = match.group("integer")
    if len(digits) > 64:
        raise failure(text, at, "integer literal is out of range")
    number = int(digits, 16) if digits.startswith("0x") else int(digits)
    if match.group("unsigned"):
        if number > UINT_MAX:
            raise failure(text, at, "unsigned integer literal is out of range")
        return UInt(number)
    # One more than the largest is let through: the parser makes the smallest integer of it after a minus.
    if number > INT_MAX + 1:
        raise failure(text, at, "integer literal is out of range")
    return number


def _string(text: str, at: int, word: str) -> str | bytes:
    prefix = word[: min(word.find(quote) for quote in "\"'" if quote in word)].lower()
    body = word[len(prefix) :]
    width = 3 if body[:3] in {'"""', "'''"} and len(body) >= 6 else 1
    body = body[width:-width]
    if "r" in prefix:
        return body.encode("utf-8", "surrogatepass") if "b" in prefix else body
    if "\\" not in body:
        return body.encode("utf-8", "surrogatepass") if prefix else body
    return _bytes(text, at, body) if prefix else _characters(text, at, body)


def _characters(text: str, at: int, body: str) -> str:
    def character(match: re.Match[str]) -> str:
        simple, hexadecimal, short, long, octal, _ = match.groups()
        if simple is not None:
            return _SIMPLE.get(simple, simple)
        digits = hexadecimal or short or long
        code = int(digits, 16) if digits else (int(octal, 8) if octal else -1)
        if code < 0:
            raise failure(text, at, f"unknown escape {match.group()!r} in a string", "write \\\\ for a backslash")
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise failure(text, at, f"escape {match.group()!r} is not a Unicode character")
        return chr(code)

    return _ESCAPE.sub(character, body)


def _bytes(text: str, at: int, body: str) -> bytes:
    out = bytearray()
    end = 0
    for match in _ESCAPE.finditer(body):
        out += body[end : match.start()].encode("utf-8", "surrogatepass")
        end = match.end()
        simple, hexadecimal, _, _, octal, _ = match.groups()
        if simple is not None:
            out += _SIMPLE.get(simple, simple).encode()
        elif hexadecimal or octal:
            out.append(int(hexadecimal, 16) if hexadecimal else int(octal, 8))
        else:
            raise failure(text, at, f"escape {match.group()!r} is not allowed in bytes", "write \\\\ for a backslash")
    return bytes(out) + body[end:].encode("utf-8", "surrogatepass")
