"""Edits of a JSON text; the result is read again before it is believed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from bulkhead.core.errors import CannotEdit
from bulkhead.core.finding import dotted
from bulkhead.core.plan import Edit
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.changes import Change, by_document, decide, patched, same
from bulkhead.formats.flow import Pen, change_collection
from bulkhead.formats.jsontext.load import load
from bulkhead.formats.jsontext.scan import scan
from bulkhead.formats.model import BOUNDS, Bounds, Node, Splice
from bulkhead.formats.spans import BOM, decoded, line_break, line_start, spliced

_INDENT = re.compile(r"\n([ \t]+)")


def apply(data: bytes, edits: Sequence[Edit], *, bounds: Bounds = BOUNDS) -> bytes:
    """The bytes with all edits made; the same bytes when everything is so already.

    Raises:
        CannotEdit: the text cannot be changed without touching what was not asked.
        PlanRefused: two edits contradict each other.
    """
    loaded = load(data, bounds=bounds)
    if loaded.problems:
        raise CannotEdit(f"the text cannot be read: {loaded.problems[0].message}")
    if set(by_document(edits)) - {0}:
        raise CannotEdit("a JSON text has one document")
    value = loaded.documents[0]
    change = decide(value, edits)
    if change.empty:
        return data
    if change.removed:
        raise CannotEdit("a whole document is not removed by an edit")
    whole = decoded(data, bounds)
    text = whole.removeprefix(BOM)
    result = (whole[: len(whole) - len(text)] + spliced(text, _splices(text, scan(text, bounds), change))).encode()
    after = load(result, bounds=bounds)
    if after.problems or not same(after.documents[0], patched(value, change)):
        where = ", ".join(dotted(edit.path) for edit in edits[:3])
        raise CannotEdit("the changed text would mean something else than was asked", where=where)
    return result


def _splices(text: str, root: Node, change: Change) -> Iterator[Splice]:
    pen = _pen(text)
    if not change.below and not change.added:
        yield _put(text, root, change.put, pen)
    else:
        yield from _below(text, root, change, pen)


def _below(text: str, node: Node, change: Change, pen: Pen) -> Iterator[Splice]:
    children: list[tuple[Any, Node]] = [(key.value, value) for key, value in node.entries]
    for name, child in children or list(enumerate(node.items)):
        below = change.below.get(name)
        if below is None or below.removed:
            continue
        if below.below or below.added:
            yield from _below(text, child, below, pen)
        else:
            yield _put(text, child, below.put, pen)
    yield from change_collection(text, node, change, pen, {}, quoted=True)


def _put(text: str, node: Node, value: Any, pen: Pen) -> Splice:
    start = line_start(text, node.start)
    line = text[start : node.start]
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    # A compact text has its values somewhere inside a line; only one that begins its line is laid out.
    own = line.strip(" \t") == "" or line.lstrip(" \t").startswith('"')
    written = pen.write(
        value, quoted=True, indent=indent if own and "\n" in text.strip() else None, line=line_break(text)
    )
    return Splice(node.start, node.end, written)


def _pen(text: str) -> Pen:
    widths = Counter(match[1] for match in _INDENT.finditer(text))
    compact = "\n" not in text.strip() and '": ' not in text
    return Pen(
        scalar=lambda value, _quoted: _scalar(value),
        key=lambda key, _quoted: json.dumps(key, ensure_ascii=False),
        unit=min(widths, key=len) if widths else "  ",
        colon=":" if compact or ('":' in text and '": ' not in text) else ": ",
        comma="," if compact else ", ",
    )


def _scalar(value: Any) -> str:
    if value is UNKNOWN:
        raise CannotEdit("an unknown value cannot be written")
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
