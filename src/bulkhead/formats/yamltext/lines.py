"""Plain block YAML read line by line: what nearly every manifest is made of, five times faster than by events.

Only lines of a small, closed form are taken: ``key:``, ``key: scalar``, ``- scalar``, ``- key: scalar``, comments,
blank lines and ``---``, in printable ASCII, with scalars on one line. Whatever else a text holds (anchors, tags, block
scalars, flow collections, escapes, templates that steer structure, mistakes), all of it is left to libyaml: a text is
read here only where both must agree (tests/property/test_yaml_lines.py holds them to it).
"""

from __future__ import annotations

import re
from functools import partial
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
_JOINED = 30
"""Lines of a text that may go on with the scalar of the line before: each makes that scalar anew."""
_NOT_PLAIN = ("", "'", '"', "{", "[")
Outline = dict[Any, Any]
"""Where a collection's parts stand, made beside its value: key or index to a scalar's row, or its first and last where it
has several, or to an outline; under None the row of the key or dash that holds it, of the root the row of its first part.
A row is a line, both from 0."""


class Document:
    """One document as a tree of dicts, lists and leaves, with its outline."""

    __slots__ = ("outline", "root")

    def __init__(self) -> None:
        self.root: Any = None
        self.outline: Outline = {}


def rows(text: str, bounds: Bounds) -> list[Row] | None:
    """The lines of the text (without byte order mark); None where one of them is of another form."""
    if not text.isascii():
        return None
    found: list[Row] = _LINE.findall(_ended(text))
    # A row is at most a key, a value and a collection.
    return None if 3 * len(found) > bounds.nodes or any(map(_other, found)) else found


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def _goes_on(found: list[Row], number: int, more: list[str], text: str) -> bool:
    """Whether a row of bare text goes on with the plain scalar of the line before; ``more`` has the lines of the text."""
    before, item = found[number - 1], found[number][5]
    if (before[4] or before[5])[:1] in _NOT_PLAIN or item[0] in _NOT_PLAIN:
        return False
    if not more:
        more += text.split("\n")
    # A comment ends a scalar.
    return len(more[number - 1].rstrip(" ")) == sum(map(len, before[:3]))


def _join(holder: Any, outline: Outline, last: Any, found: list[Row], number: int) -> None:
    """The rows up to this one as one scalar; a space stands for each line end (YAML 1.1 section 9.1.3)."""
    first = outline[last][0] if type(outline[last]) is tuple else number - 1
    words = [row[4] or row[5] for row in found[first : number + 1]]
    holder[last], outline[last] = value(" ".join(words)), (first, number)


def documents(found: list[Row], text: str, bounds: Bounds) -> list[Document] | None:
    """The rows of a text as documents.

    None where the structure is not plain: the caller reads the text by events, which also words the complaint.
    """
    done: list[Document] = []
    columns: list[int] = []
    holders: list[Any] = []
    outlines: list[Outline] = []
    # The key whose value has not come yet: its column, row, mapping and that mapping's outline.
    waiting = asked = -1
    waits: Any = None
    beside: Outline = {}
    name, joined = "", 0
    more: list[str] = []
    for number, (indent, dash, entry, key, scalar, item, _) in enumerate(found):
        if not entry:
            continue
        column = len(indent)
        if not dash and not key:
            if item == "---" and not indent:
                done.append(Document())
                columns, holders, outlines, waiting = [], [], [], -1
                continue
            joined += 1
            if waiting >= 0 or not columns or column <= columns[-1] or joined > _JOINED:
                return None
            if not _goes_on(found, number, more, text):
                return None
            last = len(holders[-1]) - 1 if type(holders[-1]) is list else name
            _join(holders[-1], outlines[-1], last, found, number)
            continue
        kind: type = list if dash else dict
        holder: Any
        if waiting >= 0 and (column > waiting or (dash and column == waiting)):
            holder = waits[name] = kind()
            outline = beside[name] = {None: asked}
            columns.append(column)
            holders.append(holder)
            outlines.append(outline)
        else:
            while columns and columns[-1] > column:
                columns.pop()
                holders.pop()
                outlines.pop()
            if columns and columns[-1] == column and key and not dash and type(holders[-1]) is list:
                # A sequence at the column of its key ("a:\n- b") ends with the next key there.
                columns.pop()
                holders.pop()
                outlines.pop()
            if not columns:
                if not done:
                    done.append(Document())
                if done[-1].root is not None:
                    return None
                done[-1].root = kind()
                done[-1].outline[None] = number
                columns, holders, outlines = [column], [done[-1].root], [done[-1].outline]
            holder, outline = holders[-1], outlines[-1]
            if columns[-1] != column or type(holder) is not kind:
                return None
        waiting = -1
        if dash:
            if not key:
                outline[len(holder)] = number
                holder.append(value(item))
                continue
            inner: dict[str, Any] = {}
            outline[len(holder)] = outline = {None: number}
            holder.append(inner)
            column += len(dash)
            columns.append(column)
            holders.append(inner)
            outlines.append(outline)
            holder = inner
        if len(columns) >= bounds.depth or key in holder or key in scalars.WORDS:
            return None
        name = intern(key)
        outline[name] = number
        if scalar:
            known = _known.get(scalar)
            holder[name] = value(scalar) if known is None else known
        else:
            holder[name] = None
            waiting, asked, waits, beside = column, number, holder, outline
    return done


_known: dict[str, Any] = {}
"""Short plain scalars that were met, with their values: they repeat in every manifest, and one object serves for all."""


def value(text: str) -> Any:
    """A scalar as its value."""
    first = text[0]
    if first in "'\"":
        return scalars.quoted(text[1:-1])
    if first == "{":
        return {}
    if first == "[":
        return []
    made = scalars.plain(text)
    if len(text) <= 40:
        if len(_known) >= 4096:
            _known.clear()
        _known[text] = made
    return made


class Finder:
    """Places in one document of a text, by its outline."""

    __slots__ = ("_known", "_line", "_outline", "_starts")

    def __init__(self, outline: Outline, text: str, starts: list[int]) -> None:
        self._outline = outline
        self._starts = starts
        self._line = partial(_LINE.match, _ended(text))
        # Most of the paths that a run asks for lead to the same few parts: what they name is not there.
        self._known: dict[Any, tuple[int, int]] = {}

    def find(self, path: DocumentPath) -> tuple[int, int]:
        """Start and end of the longest part of ``path`` that exists, as ``spans.find`` tells it for nodes."""
        part: Any = self._outline
        for step in path:
            inner = part.get(step) if type(part) is dict else None
            if inner is None:
                break
            part = inner
        # One row may hold an item, its first key and that key's value.
        at = -id(part) if type(part) is dict else part
        place = self._known.get(at)
        if place is None:
            place = self._known[at] = (self._start(part), self._end(part))
        return place

    def _start(self, part: Any) -> int:
        if part is self._outline:
            return self._entry(part[None]).end(1)
        row = part if type(part) is int else part[None] if type(part) is dict else part[0]
        return self._entry(row).start(3)

    def _end(self, part: Any) -> int:
        while type(part) is dict:
            part = next(reversed(part.values()))
        return self._entry(part if type(part) is int else part[1]).end(3)

    def _entry(self, row: int) -> re.Match[str]:
        match = self._line(self._starts[row])
        if match is None:
            raise AssertionError(f"row {row} is not of the form that it was read by")
        return match
