"""A JSON text as nodes with their places (RFC 8259), without recursion."""

from __future__ import annotations

import json
import re

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.formats.model import Bounds, Node

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|[\[\]{},:]')


def scan(text: str, bounds: Bounds) -> Node:
    """The root node.

    Raises:
        ParseError: the text is not JSON, or a key stands twice.
        LimitExceeded: collections are nested too deeply.
    """
    root: Node | None = None
    stack: list[Node] = []
    seen: list[set[str]] = []
    key: Node | None = None
    expect = "value"
    at = _skip(text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or not _allowed(match[0], expect):
            raise _error(text, at, "this is not JSON")
        word = match[0]
        if word in "{[":
            if len(stack) >= bounds.depth:
                raise LimitExceeded(f"collections are nested deeper than {bounds.depth}")
            node = Node("map" if word == "{" else "seq", at, at, style="flow")
            root = _place(node, stack, key) if stack else node
            stack.append(node)
            seen.append(set())
            key, expect = None, "key or end" if word == "{" else "value or end"
        elif word in "}]":
            if not stack or (stack[-1].kind == "map") != (word == "}"):
                raise _error(text, at, "this bracket closes nothing")
            stack.pop().end = match.end()
            seen.pop()
            expect = "comma or end" if stack else "nothing"
        elif word == ",":
            expect = "key" if stack[-1].kind == "map" else "value"
        elif word == ":":
            expect = "value"
        elif expect.startswith("key"):
            key = _key(text, word, at, match.end(), seen[-1])
            expect = "colon"
        else:
            style = '"' if word[0] == '"' else ""
            node = Node("scalar", at, match.end(), word, style)
            root = _place(node, stack, key) if stack else node
            key, expect = None, "comma or end" if stack else "nothing"
        at = _skip(text, match.end())
    if expect != "nothing":
        raise _error(text, len(text), "the text ends too early")
    if root is None:
        raise _error(text, len(text), "the text is empty")
    return root


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _allowed(word: str, expect: str) -> bool:
    first = word[0]
    if first in "}]":
        return expect.endswith("end")
    if first == ",":
        return expect.startswith("comma")
    if first == ":":
        return expect == "colon"
    if expect.startswith("key"):
        return first == '"'
    return expect.startswith("value")


def _key(text: str, word: str, start: int, end: int, seen: set[str]) -> Node:
    try:
        name = json.loads(word)
    except ValueError as error:
        raise _error(text, start, "this is not a JSON string") from error
    if name in seen:
        raise _error(text, start, f"the key {name!r} stands twice")
    seen.add(name)
    return Node("scalar", start, end, name, '"')


def _place(node: Node, stack: list[Node], key: Node | None) -> Node:
    if key is not None:
        stack[-1].entries.append((key, node))
    else:
        stack[-1].items.append(node)
    return stack[0]


def _error(text: str, at: int, message: str) -> ParseError:
    line = text.count("\n", 0, at) + 1
    return ParseError(message, line=line, column=at - text.rfind("\n", 0, at))
