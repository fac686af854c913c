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


def find(document: Document, path: DocumentPath, found: list[Row], starts: list[int]) -> tuple[int, int]:
    """Start and end of the longest part of ``path`` that exists, as ``spans.find`` tells it for nodes.

    Args:
        document: not an empty one, made with the row numbers as leaves.
        path: where to look.
        found: the rows.
        starts: where each row begins in the text.
    """
    node, row = document.root, -1
    for part in path:
        if type(node) is dict and part in node:
            node = node[part]
        elif type(node) is list and isinstance(part, int) and 0 <= part < len(node):
            node = node[part]
        else:
            break
        row = node if type(node) is int else document.rows[id(node)]
    last = node
    while type(last) is not int:
        last = last[-1] if type(last) is list else next(reversed(last.values()))
    ending = found[last]
    end = starts[last] + len(ending[0]) + len(ending[1]) + len(ending[2])
    if row >= 0:
        return starts[row] + len(found[row][0]) + len(found[row][1]), end
    first = node[0] if type(node) is list else next(iter(node.values()))
    row = first if type(first) is int else document.rows[id(first)]
    return starts[row] + len(found[row][0]), end
