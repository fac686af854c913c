"""Text to tokens (OPA, "Policy Reference", Grammar). A token knows whether space or a new line stands before it: both have a meaning."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego.failures import failure

_SIZE: Final = 4 * 1024 * 1024
_DEEP: Final = 20
"""Template strings inside template strings."""
_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n\f]+)
    |\#(?P<comment>[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\[^\n])*")
    |`(?P<raw>[^`]*)`
    |(?P<template>\$["`])
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<number>(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    |(?P<operator>:=|==|!=|<=|>=|[-+*/%&|<>=:.,;()\[\]{}])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """``kind`` is ``name``, ``string``, ``number``, ``template``, ``end``, or the operator's own text."""

    kind: str
    at: int
    value: str = ""
    spaced: bool = False
    first: bool = False
    """Whether it is the first of its line."""
    parts: tuple[str | list[Token], ...] = ()


class Lexed(NamedTuple):
    tokens: list[Token]
    comments: tuple[tuple[int, str], ...]


def lexed(text: str, path: str) -> Lexed:
    """All tokens of a text, ended by one of kind ``end``.

    Raises:
        ExpressionError: something is no token.
    """
    if len(text) > _SIZE:
        raise failure(text, path, 0, f"the policy has more than {_SIZE >> 20} MiB")
    scanner = _Scanner(text, path)
    tokens, _ = scanner.until(0, "", 0)
    return Lexed(tokens, tuple(scanner.comments))


class _Scanner:
    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self.comments: list[tuple[int, str]] = []

    def until(self, at: int, closing: str, deep: int) -> tuple[list[Token], int]:
        """Tokens up to the end, or up to a closing brace that nothing in them opens; and where they end."""
        found: list[Token] = []
        spaced, first, braces = False, True, 0
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._unexpected(at)
            kind, word, start = str(match.lastgroup), match.group(match.lastgroup or 0), at
            at = match.end()
            if kind == "space":
                spaced, first = True, first or "\n" in word
                continue
            if kind == "comment":
                self.comments.append((start, word))
                continue
            parts: tuple[str | list[Token], ...] = ()
            if kind == "operator":
                kind = word
                braces += (word == "{") - (word == "}")
                if braces < 0 and closing:
                    break
            elif kind == "string":
                word = self._unescaped(word, start)
            elif kind == "template":
                parts, at = self._template(at, word[1], deep)
            found.append(Token("string" if kind == "raw" else kind, start, word, spaced, first, parts))
            spaced = first = False
        else:
            if closing:
                raise failure(self._text, self._path, at, "a template string is not closed")
            start = at
        found.append(Token("end", start, "", spaced, True))
        return found, at

    def _unescaped(self, word: str, at: int) -> str:
        try:
            # What JSON allows, and a tab as it is (encoding/json is laxer than the standard here).
            return str(json.loads(word, strict=False))
        except ValueError:
            raise failure(self._text, self._path, at, "illegal escape in a string") from None

    def _template(self, at: int, quote: str, deep: int) -> tuple[tuple[str | list[Token], ...], int]:
        """The parts of a template string whose opening quote ends at ``at``."""
        if deep > _DEEP:
            raise failure(self._text, self._path, at, "template strings stand too deep in each other")
        parts: list[str | list[Token]] = []
        start = at
        piece = ""
        while at < len(self._text):
            sign = self._text[at]
            if sign == quote:
                parts.append(piece + self._piece(start, at, quote))
                return tuple(parts), at + 1
            if sign == "\n" and quote == '"':
                break
            if sign == "\\" and self._text[at + 1 : at + 2] == "{":
                piece += self._piece(start, at, quote) + "{"
                at = start = at + 2
            elif sign == "\\" and quote == '"':
                at += 2
            elif sign == "{":
                parts.append(piece + self._piece(start, at, quote))
                inner, at = self.until(at + 1, "}", deep + 1)
                parts.append(inner)
                piece, start = "", at
            else:
                at += 1
        raise failure(self._text, self._path, start, "a template string is not closed")

    def _piece(self, start: int, end: int, quote: str) -> str:
        text = self._text[start:end]
        return self._unescaped(f'"{text}"', start) if quote == '"' else text

    def _unexpected(self, at: int) -> ExpressionError:
        sign = self._text[at]
        message = "a string is not closed on its line" if sign in '"`' else f"illegal token {sign!r}"
        return failure(self._text, self._path, at, message)
