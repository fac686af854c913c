"""What the formats speak: a value's place in its text, the documents of a text, and the nodes they were made of."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.core.errors import ParseError


class Span(msgspec.Struct, frozen=True):
    """A stretch of bytes. Lines and columns count from 1 (columns in characters), offsets from 0 in bytes."""

    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int


class Loaded(msgspec.Struct, frozen=True):
    """The documents of a text, and what was wrong after the last of them.

    Attributes:
        documents: JSON-shaped values in the order of the text; ``UNKNOWN`` where a template stands. An empty
            document is None and keeps its number.
        problems: why the rest of the text could not be read; empty when all of it was.
        outlines: what spares ``locate`` a second reading, where the format has it; see the format.
    """

    documents: tuple[Any, ...]
    problems: tuple[ParseError, ...] = ()
    outlines: tuple[Any, ...] = ()


class Bounds(msgspec.Struct, frozen=True):
    """How much one text may ask of us (DESIGN section 4, 9).

    Attributes:
        size: bytes of one text.
        depth: of nested collections.
        nodes: keys and values after aliases are expanded.
    """

    size: int = 16 * 1024 * 1024
    depth: int = 200
    nodes: int = 1_000_000


BOUNDS = Bounds()


class Node(msgspec.Struct, eq=False):
    """A value with its place in a text, in characters.

    Attributes:
        kind: ``map``, ``seq``, ``scalar`` or ``alias``.
        start: of the value, its anchor and its tag included.
        end: of the last character that belongs to it, comments and blank lines after it left out.
        value: a scalar's text after unquoting, an alias's name.
        style: ``'``, ``"``, ``|``, ``>`` or empty for a scalar; ``flow`` or ``block`` for a collection.
        keep: a block scalar whose trailing line breaks are content (``|+``).
        entries: a mapping's keys and values in order of the text.
        items: a sequence's values.
        outer: where a call that wraps the value ends (``jsonencode(...)``), 0 when none does.
    """

    kind: str
    start: int
    end: int
    value: str = ""
    style: str = ""
    tag: str = ""
    anchor: str = ""
    keep: bool = False
    entries: list[tuple[Node, Node]] = msgspec.field(default_factory=list)
    items: list[Node] = msgspec.field(default_factory=list)
    outer: int = 0

    @property
    def flow(self) -> bool:
        return self.style == "flow"

    @property
    def last(self) -> int:
        """The end with all that wraps the value."""
        return max(self.end, self.outer)


class Splice(msgspec.Struct, frozen=True):
    """Replace the characters from ``start`` to ``end`` by ``text``."""

    start: int
    end: int
    text: str
