"""How a document is written: its indents, dashes and quotes."""

from __future__ import annotations

from collections import Counter

import msgspec

from bulkhead.formats.model import Node
from bulkhead.formats.spans import line_break, line_start
from bulkhead.formats.yamltext.render import Style


def column(text: str, index: int) -> int:
    return index - line_start(text, index)


def style_of(text: str, root: Node) -> Style:
    """The commonest habits of a document; two columns and double quotes where it shows none."""
    widths: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    offsets: Counter[int] = Counter()
    quotes: Counter[str] = Counter()
    rest = [root]
    while rest:
        node = rest.pop()
        if node.kind == "scalar":
            if node.style and node.style in "'\"":
                quotes[node.style] += 1
        elif not node.flow:
            _count(text, node, widths, dashes)
            for item in node.items:
                dash = dash_before(text, item)
                if item.end > item.start and dash >= 0 and line_start(text, item.start) <= dash:
                    offsets[item.start - dash] += 1
        rest += node.items
        for key, value in node.entries:
            rest += (key, value)
    width = _commonest(widths, 2)
    return Style(
        width=width,
        dash=_commonest(dashes, width),
        item=_commonest(offsets, 2),
        quote=quotes.most_common(1)[0][0] if quotes else '"',
        line=line_break(text),
        literal=text.endswith(("\n", "\r")),
    )


def style_at(text: str, node: Node, style: Style) -> Style:
    """The document's style with the habits of the entries of one mapping first."""
    widths: Counter[int] = Counter()
    dashes: Counter[int] = Counter()
    _count(text, node, widths, dashes)
    return msgspec.structs.replace(style, width=_commonest(widths, style.width), dash=_commonest(dashes, style.dash))


def _count(text: str, node: Node, widths: Counter[int], dashes: Counter[int]) -> None:
    for key, value in node.entries:
        if value.flow or value.kind not in ("map", "seq") or value.anchor or value.tag:
            continue
        if value.entries and line_start(text, value.start) > key.end:
            widths[column(text, value.start) - column(text, key.start)] += 1
        elif value.items:
            dash = dash_before(text, value.items[0])
            if dash >= 0:
                dashes[column(text, dash) - column(text, key.start)] += 1


def _commonest(counter: Counter[int], default: int) -> int:
    return max(counter.most_common(1)[0][0], 0) if counter else default


def dash_before(text: str, item: Node) -> int:
    """Where the dash of a block sequence's item stands; -1 when it is not in sight."""
    index = item.start
    while index > 0:
        stripped = text[line_start(text, index) : index].rstrip(" \t")
        if stripped.endswith("-"):
            return line_start(text, index) + len(stripped) - 1
        if stripped and not stripped.lstrip(" \t").startswith("#"):
            bare = stripped.partition("#")[0].rstrip(" \t")
            return line_start(text, index) + len(bare) - 1 if bare.endswith("-") else -1
        index = line_start(text, index)
        while index > 0 and text[index - 1] in "\r\n":
            index -= 1
    return -1
