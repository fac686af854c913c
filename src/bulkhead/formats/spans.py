"""Characters to lines, columns and bytes; splices into a text; nodes found by path."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

from bulkhead.core.errors import CannotEdit, LimitExceeded, ParseError
from bulkhead.core.resource import DocumentPath
from bulkhead.formats.model import Bounds, Node, Span, Splice

BOM = "\ufeff"
_BREAK = re.compile(r"\r\n|\n|\r")
_FOREIGN_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def decoded(data: bytes, bounds: Bounds) -> str:
    """The text of UTF-8 bytes, a byte order mark included.

    Raises:
        LimitExceeded: there are too many of them.
        ParseError: they are not UTF-8 text.
    """
    if len(data) > bounds.size:
        raise LimitExceeded(f"the text has {len(data)} bytes, more than {bounds.size}")
    if data.startswith(_FOREIGN_MARKS):
        raise ParseError("the text is UTF-16 or UTF-32, not UTF-8", hint="save it as UTF-8", line=1, column=1)
    zero = data.find(b"\0")
    if zero >= 0:
        raise ParseError("a NUL byte stands in the text", line=data.count(b"\n", 0, zero) + 1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ParseError("the text is not UTF-8", hint="save it as UTF-8", line=line) from error


def _line_starts(text: str) -> list[int]:
    if "\r" in text:
        return [0, *(match.end() for match in _BREAK.finditer(text))]
    return list(accumulate([len(line) + 1 for line in text.split("\n")][:-1], initial=0))


class Places:
    """Characters of one text as lines, columns and byte offsets; made once, asked often."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = _line_starts(text)
        self._ascii = text.isascii()
        self._bytes: list[int] = []

    def _offset(self, index: int, line: int) -> int:
        if self._ascii:
            return index
        if not self._bytes:
            total = 0
            for number, start in enumerate(self._starts):
                self._bytes.append(total)
                end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self._text)
                total += len(self._text[start:end].encode())
        return self._bytes[line] + len(self._text[self._starts[line] : index].encode())

    def span(self, start: int, end: int) -> Span:
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end) - 1
        return Span(
            line=first + 1,
            column=start - self._starts[first] + 1,
            end_line=last + 1,
            end_column=end - self._starts[last] + 1,
            start=self._offset(start, first),
            end=self._offset(end, last),
        )


def find(root: Node, path: DocumentPath, anchors: dict[str, Node], names: dict[int, str]) -> tuple[int, int]:
    """Start and end of the longest part of ``path`` that exists: from the key to the end of its value.

    Args:
        root: the document.
        path: where to look.
        anchors: the values that aliases stand for.
        names: keys of the document by the identity of their node, as values know them.
    """
    here, start, end = root, root.start, root.end
    for part in path:
        while here.kind == "alias":
            here = anchors[here.value]
        if here.kind == "map" and isinstance(part, str):
            entry = next(((k, v) for k, v in reversed(here.entries) if names.get(id(k), k.value) == part), None)
            if entry is None:
                break
            here = entry[1]
            start, end = entry[0].start, max(entry[0].end, here.last)
        elif here.kind == "seq" and isinstance(part, int) and 0 <= part < len(here.items):
            here = here.items[part]
            start, end = here.start, here.end
        else:
            break
    return start, end


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices made; insertions at one place keep the order they are given in.

    Raises:
        CannotEdit: two of them overlap.
    """
    out: list[str] = []
    at = 0
    for splice in sorted(splices, key=lambda s: (s.start, s.end)):
        if splice.start < at:
            raise CannotEdit("two changes touch the same characters")
        out += (text[at : splice.start], splice.text)
        at = splice.end
    return "".join((*out, text[at:]))


def line_break(text: str) -> str:
    """The line end that the text uses."""
    match = _BREAK.search(text)
    return match[0] if match else "\n"


def line_start(text: str, index: int) -> int:
    """Where the line of ``index`` begins."""
    start = text.rfind("\n", 0, index) + 1
    return max(start, text.rfind("\r", start, index) + 1)


def line_end(text: str, index: int) -> int:
    """Where the line of ``index`` ends, before its line break."""
    match = _BREAK.search(text, index)
    return match.start() if match else len(text)


def next_line(text: str, index: int) -> int:
    """Where the line after that of ``index`` begins."""
    match = _BREAK.search(text, index)
    return match.end() if match else len(text)


def only_spaces(text: str, start: int, end: int) -> bool:
    return not text[start:end].strip(" \t")


def spans(text: str, found: Sequence[tuple[int, int] | None]) -> list[Span | None]:
    """The places as spans; equal ones share one."""
    places = Places(text)
    known = {place: places.span(*place) for place in set(found) if place is not None}
    return [None if place is None else known[place] for place in found]
