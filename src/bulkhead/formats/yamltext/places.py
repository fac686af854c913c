"""Where values stand in a text."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.model import BOUNDS, Bounds, Span
from bulkhead.formats.spans import BOM, decoded, find, spans
from bulkhead.formats.yamltext.compose import compose


def locate(data: bytes, wanted: Sequence[tuple[int, DocumentPath]], *, bounds: Bounds = BOUNDS) -> list[Span | None]:
    """The place of each (document, path): from a key to the end of its value, or from an item's first character.

    A path that does not exist gives the place of its longest part that does; a document that does not exist gives
    None. The text is read once for all of them.

    Raises:
        ParseError: nothing of the text can be read.
        LimitExceeded: it is too large or too deep.
    """
    whole = decoded(data, bounds)
    text = whole.removeprefix(BOM)
    shift = len(whole) - len(text)
    documents = compose(text, {document for document, _ in wanted}, bounds)
    found: list[tuple[int, int] | None] = []
    for number, path in wanted:
        document = documents.get(number)
        if document is None or document.root is None:
            found.append(None)
            continue
        start, end = find(document.root, path, document.anchors, document.names)
        found.append((start + shift, end + shift))
    return spans(whole, found)
