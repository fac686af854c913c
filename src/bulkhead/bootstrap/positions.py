"""Where keys and values stand in a TOML text (TOML 1.0): only to tell a person the place of what is wrong.

The text was parsed before, so it is taken to be well formed; one that is not gives fewer places, never an error. Nesting
deeper than ``_DEPTH`` is stepped over.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Final, NamedTuple

Path = tuple[str | int, ...]
_DEPTH: Final = 64
_BLANK: Final = re.compile(r"[ \t]*")
_SPACE: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE: Final = re.compile(r"[^,\]}#\r\n]*")
_BASIC: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL: Final = re.compile(r"'[^'\n]*'")
_LONG_BASIC: Final = re.compile(r'"""(?:[^"\\]|\\.|"(?!"")|\\\n)*"{3,5}', re.DOTALL)
_LONG_LITERAL: Final = re.compile(r"'''(?:[^']|'(?!''))*'{3,5}", re.DOTALL)


class Place(NamedTuple):
    """A key's path with the offsets of the key and of its value; a table's header is both."""

    path: Path
    key: int
    value: int


def find(text: str, path: Path, *, value: bool = False) -> tuple[int, int]:
    """Line and column, from 1, of the key (or its value); of what stands nearest above it where the text has no such key.

    (0, 0) where nothing of it stands there.
    """
    best, shared = None, 0
    for place in places(text):
        common = _common(place.path, path)
        if place.path == path:
            best, shared = place, len(path) + 1
            break
        if common > shared:
            best, shared = place, common
    if best is None:
        return 0, 0
    return position(text, best.value if value and shared > len(path) else best.key)


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def places(text: str) -> Iterator[Place]:
    """Every key, table header and element of a list, in the order of the text."""
    return _Scanner(text).document()


def _common(one: Path, other: Path) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._lists: dict[Path, int] = {}

    def document(self) -> Iterator[Place]:
        table: Path = ()
        while True:
            self._pass(_SPACE)
            start = self._at
            if start >= len(self._text):
                return
            if self._text[start] == "[":
                made = self._header()
                if made is None:
                    return
                table = made
                yield Place(table, start, start)
                continue
            yield from self._pair(table, 0)
            if self._at == start:
                return

    def _header(self) -> Path | None:
        """The table that a header opens; of a list of tables, its newest element."""
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        names = self._key()
        if not names:
            return None
        self._at += 2 if many else 1
        if not many:
            return self._resolved(names)
        whole = (*self._resolved(names[:-1]), names[-1])
        self._lists[whole] = self._lists.get(whole, -1) + 1
        return (*whole, self._lists[whole])

    def _resolved(self, names: tuple[str, ...]) -> Path:
        out: Path = ()
        for name in names:
            out = (*out, name)
            if out in self._lists:
                out = (*out, self._lists[out])
        return out

    def _pair(self, table: Path, depth: int) -> Iterator[Place]:
        start = self._at
        names = self._key()
        if not names or not self._text.startswith("=", self._at):
            self._at = start
            return
        self._at += 1
        self._pass(_BLANK)
        path = (*table, *names)
        yield Place(path, start, self._at)
        yield from self._value(path, depth)

    def _key(self) -> tuple[str, ...]:
        names: list[str] = []
        while True:
            self._pass(_BLANK)
            taken = self._take(_BARE_KEY) or self._take(_BASIC) or self._take(_LITERAL)
            if not taken:
                return ()
            names.append(_unquoted(taken))
            self._pass(_BLANK)
            if not self._text.startswith(".", self._at):
                return tuple(names)
            self._at += 1

    def _value(self, path: Path, depth: int) -> Iterator[Place]:
        char = self._text[self._at : self._at + 1]
        if char in ("[", "{"):
            if depth >= _DEPTH:
                self._step_over()
            elif char == "[":
                yield from self._list(path, depth + 1)
            else:
                yield from self._inline(path, depth + 1)
        elif char in ('"', "'"):
            for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL):
                if self._take(pattern):
                    return
        else:
            self._take(_BARE_VALUE)

    def _list(self, path: Path, depth: int) -> Iterator[Place]:
        self._at += 1
        index = 0
        while True:
            self._pass(_SPACE)
            before = self._at
            if self._ended("]"):
                return
            yield Place((*path, index), self._at, self._at)
            yield from self._value((*path, index), depth)
            index += 1
            self._pass(_SPACE)
            if self._text.startswith(",", self._at):
                self._at += 1
            elif self._at == before:
                return

    def _inline(self, path: Path, depth: int) -> Iterator[Place]:
        self._at += 1
        while True:
            self._pass(_SPACE)
            before = self._at
            if self._ended("}"):
                return
            yield from self._pair(path, depth)
            self._pass(_SPACE)
            if self._text.startswith(",", self._at):
                self._at += 1
            elif self._at == before:
                return

    def _ended(self, mark: str) -> bool:
        if self._at >= len(self._text):
            return True
        if self._text[self._at] == mark:
            self._at += 1
            return True
        return False

    def _step_over(self) -> None:
        """Behind the bracket that closes the one here."""
        depth = 0
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in "\"'" and any(self._take(pattern) for pattern in (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL)):
                continue
            if char == "#":
                self._pass(_SPACE)
                continue
            self._at += 1
            depth += (char in "[{") - (char in "]}")
            if not depth:
                return

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            return ""
        self._at = match.end()
        return match[0]

    def _pass(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] != '"' or "\\" not in key:
        return key.strip('"')
    try:
        return str(tomllib.loads(f"k={key}")["k"])
    except tomllib.TOMLDecodeError:
        return key
