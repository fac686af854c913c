"""All documents of a text as values."""

from __future__ import annotations

from bulkhead.core.errors import ParseError
from bulkhead.formats.model import BOUNDS, Bounds, Loaded
from bulkhead.formats.spans import BOM, decoded
from bulkhead.formats.yamltext import lines


def load(data: bytes, *, bounds: Bounds = BOUNDS, native: bool = True) -> Loaded:
    """All documents; where the text breaks, the documents before the break and the complaint.

    Raises:
        LimitExceeded: the text is larger, deeper or (aliases expanded) longer than the bounds allow.
    """
    try:
        text = decoded(data, bounds).removeprefix(BOM)
    except ParseError as error:
        return Loaded((), (error,))
    rows = lines.rows(text, bounds) if native else None
    plain = None if rows is None else lines.documents(rows, text, bounds)
    if plain is not None:
        outlines = tuple([document.outline for document in plain])
        return Loaded(tuple([document.root for document in plain]), outlines=outlines)
    from bulkhead.formats.yamltext import build

    return build.load(text, bounds, native=native)
