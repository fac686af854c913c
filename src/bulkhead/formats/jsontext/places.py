"""Where values stand in a JSON text."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.jsontext.scan import scan
from bulkhead.formats.model import BOUNDS, Bounds, Span
from bulkhead.formats.spans import BOM, decoded, find, spans


def locate(data: bytes, wanted: Sequence[tuple[int, DocumentPath]], *, bounds: Bounds = BOUNDS) -> list[Span | None]:
    """The place of each path in document 0, as in ``yamltext.locate``.

    Raises:
        ParseError: the text is not JSON.
        LimitExceeded: it is too large or too deep.
    """
    whole = decoded(data, bounds)
    text = whole.removeprefix(BOM)
    shift = len(whole) - len(text)
    root = scan(text, bounds)
    found: list[tuple[int, int] | None] = []
    for document, path in wanted:
        start, end = find(root, path, {}, {})
        found.append(None if document else (start + shift, end + shift))
    return spans(whole, found)
