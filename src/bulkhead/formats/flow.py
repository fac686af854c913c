"""Changes of flow collections: JSON, and the ``{...}`` and ``[...]`` of YAML.

A collection that stands on one line stays on it; one with an entry per line gets a line per new entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from bulkhead.formats.changes import Change
from bulkhead.formats.model import Node, Splice
from bulkhead.formats.spans import line_break, line_start, only_spaces


class Pen(msgspec.Struct, frozen=True):
    """How flow text is written.

    Attributes:
        scalar: spells a scalar; told whether its surroundings quote everything.
        key: spells a key; told the same.
        unit: one step of indentation.
        colon: between key and value.
        comma: between entries on one line.
        short_lists: whether a list of scalars stays on one line.
        comma_between_lines: whether entries of a mapping that stand on lines of their own need a comma too.
    """

    scalar: Callable[[Any, bool], str]
    key: Callable[[str, bool], str]
    unit: str = "  "
    colon: str = ": "
    comma: str = ", "
    comma_between_lines: bool = True
    short_lists: bool = False

    def write(self, value: Any, *, quoted: bool, indent: str | None, line: str) -> str:
        """A value; ``indent`` is that of its own line, None to write it on one line."""
        if not isinstance(value, dict | list):
            return self.scalar(value, quoted)
        if self.short_lists and isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
            indent = None
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        inner = None if indent is None else indent + self.unit
        if isinstance(value, dict):
            parts = [
                self.key(key, quoted) + self.colon + self.write(item, quoted=quoted, indent=inner, line=line)
                for key, item in value.items()
            ]
        else:
            parts = [self.write(item, quoted=quoted, indent=inner, line=line) for item in value]
        if inner is None or not parts:
            return opening + self.comma.join(parts) + closing
        comma = "," if isinstance(value, list) or self.comma_between_lines else ""
        return f"{opening}{line}{inner}{f'{comma}{line}{inner}'.join(parts)}{line}{indent}{closing}"


def own_line_indent(text: str, index: int) -> str | None:
    """The indentation before ``index`` when nothing else stands before it on its line."""
    start = line_start(text, index)
    return text[start:index] if start and only_spaces(text, start, index) else None


def quotes_keys(node: Node) -> bool:
    return any(key.style == '"' for key, _ in node.entries)


def change_collection(
    text: str, node: Node, change: Change, pen: Pen, names: dict[int, str], *, quoted: bool
) -> Iterator[Splice]:
    """Removals and insertions in one flow collection; what changes below it is the caller's."""
    line = line_break(text)
    starts = [(key.start, max(key.end, value.last)) for key, value in node.entries] or [
        (item.start, item.last) for item in node.items
    ]
    labels: list[Any] = [names.get(id(key), key.value) for key, _ in node.entries] or list(range(len(node.items)))
    gone = [label in change.below and change.below[label].removed for label in labels]
    yield from _removals(starts, gone)
    fresh = [(part, below.put) for part, below in change.below.items() if part not in labels]
    quoted = quoted or quotes_keys(node)
    survivor = max((index for index, lost in enumerate(gone) if not lost), default=-1)
    if survivor < 0:
        return
    start, end = starts[survivor]
    indent = own_line_indent(text, start)
    comma = "," if pen.comma_between_lines or node.items or text[end : end + 1] == "," else ""
    between = pen.comma if indent is None else f"{comma}{line}{indent}"
    for part, value in fresh:
        written = pen.write(value, quoted=quoted, indent=indent, line=line)
        yield Splice(end, end, between + pen.key(str(part), quoted) + pen.colon + written)
    for value in change.added:
        quoted_item = quoted or node.items[survivor].style == '"'
        yield Splice(end, end, between + pen.write(value, quoted=quoted_item, indent=indent, line=line))


def _removals(places: Sequence[tuple[int, int]], gone: Sequence[bool]) -> Iterator[Splice]:
    index = 0
    while index < len(places):
        if not gone[index]:
            index += 1
            continue
        after = index
        while after < len(places) and gone[after]:
            after += 1
        if after < len(places):
            yield Splice(places[index][0], places[after][0], "")
        elif index:
            yield Splice(places[index - 1][1], places[after - 1][1], "")
        index = after
