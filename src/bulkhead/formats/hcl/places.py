"""Where values stand in a Terraform text."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.hcl import tree
from bulkhead.formats.hcl.nodes import block_node
from bulkhead.formats.model import BOUNDS, Bounds, Node, Span
from bulkhead.formats.spans import find, spans

_ASCII = bytes(byte if byte < 0x80 else ord("?") for byte in range(256))


def locate(data: bytes, wanted: Sequence[tuple[int, DocumentPath]], *, bounds: Bounds = BOUNDS) -> list[Span | None]:
    """The place of each path in its block: an attribute from its name to its value, or a whole nested block.

    Raises:
        ParseError: the text is not HCL.
        LimitExceeded: it is too large or too deep.
    """
    blocks = list(tree.blocks(tree.parsed(data, bounds).root_node))
    nodes: dict[int, Node] = {}
    found: list[tuple[int, int] | None] = []
    for number, path in wanted:
        if not 0 <= number < len(blocks):
            found.append(None)
            continue
        if number not in nodes:
            nodes[number] = block_node(blocks[number])
        found.append(find(nodes[number], path, {}, {}))
    # One character for each byte: offsets are right, columns are then counted in characters.
    return [_in_characters(data, span) for span in spans(data.translate(_ASCII).decode(), found)]


def _in_characters(data: bytes, span: Span | None) -> Span | None:
    if span is None:
        return None
    first = data[span.start - span.column + 1 : span.start]
    last = data[span.end - span.end_column + 1 : span.end]
    return msgspec.structs.replace(
        span,
        column=len(first.decode(errors="replace")) + 1,
        end_column=len(last.decode(errors="replace")) + 1,
    )
