"""Edits into bytes: only what must change is replaced, and the result is read again before it is believed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bulkhead.core.errors import BulkheadError, CannotEdit
from bulkhead.core.finding import dotted
from bulkhead.core.plan import Edit
from bulkhead.formats.changes import by_document, decide, patched, same
from bulkhead.formats.model import BOUNDS, Bounds, Splice
from bulkhead.formats.spans import BOM, decoded, spliced
from bulkhead.formats.yamltext.compose import Composed, compose
from bulkhead.formats.yamltext.load import load
from bulkhead.formats.yamltext.splices import Writer
from bulkhead.formats.yamltext.tags import table_for

_TEMPLATE = re.compile(r"\{\{|\{%")


def apply(data: bytes, edits: Sequence[Edit], *, bounds: Bounds = BOUNDS) -> bytes:
    """The bytes with all edits made; the same bytes when everything is so already.

    Raises:
        CannotEdit: the text cannot be changed without touching what was not asked.
        PlanRefused: two edits contradict each other.
    """
    loaded = load(data, bounds=bounds)
    if loaded.problems:
        raise CannotEdit(f"the text cannot be read: {loaded.problems[0].message}")
    whole = decoded(data, bounds)
    text = whole.removeprefix(BOM)
    intended = list(loaded.documents)
    changes = {}
    for number, wanted in by_document(edits).items():
        if not 0 <= number < len(intended):
            raise CannotEdit(f"there is no document {number}")
        change = decide(intended[number], wanted)
        if not change.empty:
            changes[number] = change
    if not changes:
        return data
    composed = compose(text, changes, bounds)
    tags = table_for(text)
    templated = _TEMPLATE.search(text) is not None
    splices: list[Splice] = []
    for number, change in changes.items():
        document = composed[number]
        if templated:
            _refuse_template(text, document)
        splices += Writer(text, document, tags).splices(change)
        intended[number] = patched(intended[number], change)
    result = (whole[: len(whole) - len(text)] + spliced(text, splices)).encode()
    _verify(result, intended, bounds, ", ".join(dotted(edit.path) for edit in edits[:3]))
    return result


def _refuse_template(text: str, document: Composed) -> None:
    """A template outside of values steers how the text is made: what we would write may not be what comes out."""
    if document.root is None:
        return
    begin, end = document.root.start, document.root.end
    places = {match.start() for match in _TEMPLATE.finditer(text, begin, end)}
    for node in document.scalars:
        if not places:
            return
        places -= {place for place in places if node.start <= place < node.end}
    if places:
        raise CannotEdit("the text is a template", hint="change the template or its values")


def _verify(result: bytes, intended: Sequence[Any], bounds: Bounds, where: str) -> None:
    try:
        after = load(result, bounds=bounds)
    except BulkheadError as error:
        raise CannotEdit(f"the changed text cannot be read: {error.message}", where=where) from error
    if after.problems:
        raise CannotEdit(f"the changed text would not be valid: {after.problems[0].message}", where=where)
    if len(after.documents) != len(intended) or not all(map(same, after.documents, intended)):
        raise CannotEdit("the changed text would mean something else than was asked", where=where)
