"""Where values stand in a text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.model import BOUNDS, Bounds, Span
from bulkhead.formats.spans import BOM, decoded, find, spans
from bulkhead.formats.yamltext import lines


def locate(
    data: bytes,
    wanted: Sequence[tuple[int, DocumentPath]],
    *,
    outlines: Sequence[lines.Outline] = (),
    bounds: Bounds = BOUNDS,
) -> list[Span | None]:
    """The place of each (document, path): from a key to the end of its value, or from an item's first character.

    A path that does not exist gives the place of its longest part that does; a document that does not exist gives
    None. The text is read once for all of them, and not even once with the ``outlines`` that ``load`` gave for it.

    Raises:
        ParseError: nothing of the text can be read.
        LimitExceeded: it is too large or too deep.
    """
    whole = decoded(data, bounds)
    text = whole.removeprefix(BOM)
    shift = len(whole) - len(text)
    found = _by_lines(text, wanted, outlines or _outlines(text, bounds))
    if found is None:
        found = _by_events(text, wanted, bounds)
    return spans(whole, [place and (place[0] + shift, place[1] + shift) for place in found])


def _outlines(text: str, bounds: Bounds) -> Sequence[lines.Outline]:
    rows = lines.rows(text, bounds)
    documents = None if rows is None else lines.documents(rows, text, bounds)
    return [document.outline for document in documents or ()]


def _by_lines(
    text: str, wanted: Sequence[tuple[int, DocumentPath]], outlines: Sequence[lines.Outline]
) -> list[tuple[int, int] | None] | None:
    # An empty document has no outline.
    if not outlines or not all(outlines):
        return None
    starts = [0, *accumulate([len(line) + 1 for line in text.split("\n")])]
    finders = [lines.Finder(outline, text, starts) for outline in outlines]
    return [finders[number].find(path) if number < len(finders) else None for number, path in wanted]


def _by_events(text: str, wanted: Sequence[tuple[int, DocumentPath]], bounds: Bounds) -> list[tuple[int, int] | None]:
    from bulkhead.formats.yamltext.compose import compose

    documents = compose(text, {document for document, _ in wanted}, bounds)
    found: list[tuple[int, int] | None] = []
    for number, path in wanted:
        document = documents.get(number)
        if document is None or document.root is None:
            found.append(None)
        else:
            found.append(find(document.root, path, document.anchors, document.names))
    return found
