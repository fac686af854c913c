"""Plain block YAML read line by line: what nearly every manifest is made of, five times faster than by events.

Only lines of a small, closed form are taken: ``key:``, ``key: scalar``, ``- scalar``, ``- key: scalar``, comments,
blank lines and ``---``, in printable ASCII, with scalars on one line. Whatever else a text holds (anchors, tags, block
scalars, flow collections, escapes, templates that steer structure, mistakes), all of it is left to libyaml: a text is
read here only where both must agree (tests/property/test_yaml_lines.py holds them to it).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from sys import intern
from typing import Any

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.model import Bounds
from bulkhead.formats.yamltext import scalars

_KEY = r"[A-Za-z_$][\w./$-]{0,250}"
# A character that may stand anywhere in a plain scalar: printable, neither space, "#" nor ":".
_INNER = r'[!"$-9;-~]'
_PLAIN = rf"(?:[A-Za-z0-9_./$(~<=+;^\\]|-(?=[!-~]))(?:{_INNER}|:(?=[!-~])| +(?={_INNER}))*+"
_SCALAR = rf"""{_PLAIN}|'[ -&(-~]*+'|"[ !#-\[\]-~]*+"|\{{\}}|\[\]"""
_LINE = re.compile(
    rf"( *+)(- ++)?+(({_KEY}):(?: ++({_SCALAR}))?+|({_SCALAR}))(?: ++#[\t -~]*+| *+)\n"
    r"| *+(?:#[\t -~]*+)?\n"
    r"|([^\n]++\n)",
    re.ASCII,
)

Row = tuple[str, str, str, str, str, str, str]
"""Indent, dash, the whole entry, its key, the key's scalar, an item's scalar, and a line of another form."""

_other = itemgetter(6)
Leaf = Callable[[int, str], Any]


class Document:
    """One document as a tree of dicts, lists and leaves.

    ``rows`` has the row of the key or dash that holds a collection, by the collection's identity.
    """

    __slots__ = ("root", "rows")

    def __init__(self) -> None:
        self.root: Any = None
        self.rows: dict[int, int] = {}


def rows(text: str, bounds: Bounds) -> list[Row] | None:
    """The lines of the text (without byte order mark); None where one of them is of another form."""
    if not text.isascii():
        return None
    found: list[Row] = _LINE.findall(text if text.endswith("\n") else text + "\n")
    # A row is at most a key, a value and a collection.
    return None if 3 * len(found) > bounds.nodes or any(map(_other, found)) else found


def documents(found: list[Row], leaf: Leaf, bounds: Bounds) -> list[Document] | None:
    """The rows as documents; ``leaf`` gives the value of a scalar (empty: none is written) in its row.

    None where the structure is not plain: the caller reads the text by events, which also words the complaint.
    """
    done: list[Document] = []
    columns: list[int] = []
    holders: list[Any] = []
    # The key whose value has not come yet: its column, row and mapping.
    waiting = asked = -1
    waits: Any = None
    name = ""
    for number, (indent, dash, entry, key, scalar, item, _) in enumerate(found):
        if not entry:
            continue
        column = len(indent)
        if not dash and not key:
            if item != "---" or indent:
                return None
            done.append(Document())
            columns, holders, waiting = [], [], -1
            continue
        kind: type = list if dash else dict
        holder: Any
        if waiting >= 0 and (column > waiting or (dash and column == waiting)):
            holder = waits[name] = kind()
            done[-1].rows[id(holder)] = asked
            columns.append(column)
            holders.append(holder)
        else:
            while columns and columns[-1] > column:
                columns.pop()
                holders.pop()
            if columns and columns[-1] == column and key and not dash and type(holders[-1]) is list:
                # A sequence at the column of its key ("a:\n- b") ends with the next key there.
                columns.pop()
                holders.pop()
            if not columns:
                if not done:
                    done.append(Document())
                if done[-1].root is not None:
                    return None
                done[-1].root = kind()
                columns, holders = [column], [done[-1].root]
            holder = holders[-1]
            if columns[-1] != column or type(holder) is not kind:
                return None
        waiting = -1
        if dash:
            if not key:
                holder.append(leaf(number, item))
                continue
            inner: dict[str, Any] = {}
            done[-1].rows[id(inner)] = number
            holder.append(inner)
            column += len(dash)
            columns.append(column)
            holders.append(inner)
            holder = inner
        if len(columns) >= bounds.depth or key in holder or key in scalars.WORDS:
            return None
        name = intern(key)
        holder[name] = leaf(number, scalar)
        if not scalar:
            waiting, asked, waits = column, number, holder
    return done


@lru_cache(maxsize=4096)
def _short(text: str) -> Any:
    return scalars.plain(text)


def value(_: int, text: str) -> Any:
    """A leaf as its value. Short ones repeat in every manifest: one object serves for all."""
    if not text:
        return None
    first = text[0]
    if first in "'\"":
        return scalars.quoted(text[1:-1])
    if first == "{":
        return {}
    if first == "[":
        return []
    return _short(text) if len(text) <= 40 else scalars.plain(text)


class Finder:
    """Places in one document, which was made with its row numbers as leaves and is not empty.

    Paths asked of one document share most of their parts: what a path leads to is kept for those that go on from it.
    """

    __slots__ = ("_document", "_ends", "_rows", "_starts", "_steps")

    def __init__(self, document: Document, found: list[Row], starts: list[int]) -> None:
        self._document = document
        self._rows = found
        self._starts = starts
        self._steps: dict[DocumentPath, tuple[Any, int, bool]] = {(): (document.root, -1, True)}
        self._ends: dict[tuple[int, int], tuple[int, int]] = {}

    def find(self, path: DocumentPath) -> tuple[int, int]:
        """Start and end of the longest part of ``path`` that exists, as ``spans.find`` tells it for nodes."""
        node, row, _ = self._step(path)
        # One row may hold an item, its first key and that key's value.
        at = (row, node if type(node) is int else id(node))
        place = self._ends.get(at)
        if place is None:
            place = self._ends[at] = (self._start(row), self._end(node))
        return place

    def _step(self, path: DocumentPath) -> tuple[Any, int, bool]:
        """What the longest part leads to, the row of its key or dash, and whether that part is the whole path."""
        known = self._steps.get(path)
        if known is not None:
            return known
        above = self._step(path[:-1])
        node, _, whole = above
        part: Any = path[-1]
        if whole and (
            (type(node) is dict and part in node)
            or (type(node) is list and isinstance(part, int) and 0 <= part < len(node))
        ):
            child: Any = node[part]
            above = (child, child if type(child) is int else self._document.rows[id(child)], True)
        elif whole:
            above = (above[0], above[1], False)
        self._steps[path] = above
        return above

    def _start(self, row: int) -> int:
        if row >= 0:
            return self._starts[row] + len(self._rows[row][0]) + len(self._rows[row][1])
        root = self._document.root
        first = root[0] if type(root) is list else next(iter(root.values()))
        row = first if type(first) is int else self._document.rows[id(first)]
        return self._starts[row] + len(self._rows[row][0])

    def _end(self, node: Any) -> int:
        while type(node) is not int:
            node = node[-1] if type(node) is list else next(reversed(node.values()))
        last = self._rows[node]
        return self._starts[node] + len(last[0]) + len(last[1]) + len(last[2])
