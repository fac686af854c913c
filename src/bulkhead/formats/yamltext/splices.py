"""Decided changes of one YAML document as splices into its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bulkhead.core.errors import CannotEdit
from bulkhead.core.finding import dotted
from bulkhead.core.resource import DocumentPath, PathPart
from bulkhead.formats.changes import Change
from bulkhead.formats.flow import Pen, change_collection, own_line_indent, quotes_keys
from bulkhead.formats.model import Node, Splice
from bulkhead.formats.spans import line_end, line_start, next_line, only_spaces
from bulkhead.formats.yamltext import render
from bulkhead.formats.yamltext.compose import Composed, function_of
from bulkhead.formats.yamltext.style import column, dash_before, style_at, style_of

_COLON = re.compile(r"[ \t]*:")
_COMMENT_ONLY = re.compile(r"[ \t]*#[^\r\n]*")


class Writer:
    """Splices for one document. What is nested deeper is written first, so that insertions at one place nest too."""

    def __init__(self, text: str, document: Composed, tags: dict[str, str]) -> None:
        if document.root is None or (document.root.kind == "scalar" and document.root.start == document.root.end):
            raise CannotEdit("the document is empty")
        self._text = text
        self._document = document
        self._root = document.root
        self._style = style_of(text, document.root)
        self._tags = tags
        quote = self._style.quote
        self._pen = Pen(
            scalar=lambda value, quoted: render.scalar(value, flow=True, quote='"' if quoted else quote, force=quoted),
            key=lambda key, quoted: render.string(key, flow=True, quote='"' if quoted else quote, force=quoted),
        )

    def splices(self, change: Change) -> Iterator[Splice]:
        if change.removed:
            raise CannotEdit("a whole document is not removed by an edit")
        self._refuse(self._root, change)
        if "put" in self._kind(change):
            if not self._root.flow:
                raise CannotEdit("a whole document is not replaced by an edit")
            yield self._put_flow(self._root, change.put, quoted=quotes_keys(self._root))
        else:
            yield from self._below(self._root, change, quoted=False)

    @staticmethod
    def _kind(change: Change) -> str:
        return "below" if change.below or change.added else "removed" if change.removed else "put"

    def _refuse(self, node: Node, change: Change) -> None:
        where = dotted(change.path)
        kind = self._kind(change)
        if node.anchor and node.anchor in self._document.aliased:
            raise CannotEdit(f"the value is anchored as &{node.anchor} and used elsewhere too", where=where)
        if kind == "below":
            if node.kind == "alias":
                raise CannotEdit(f"the value is the alias *{node.value}", where=where)
            if function_of(node, self._tags):
                raise CannotEdit(f"the value is made by {node.tag}", where=where)
        elif kind == "put":
            if node.tag or node.anchor:
                raise CannotEdit("the value carries a tag or an anchor", where=where)
            if node.kind == "scalar" and node.style not in ("|", ">") and "{{" in node.value:
                raise CannotEdit("the value is a template", where=where, hint="change what fills it")

    def _below(self, node: Node, change: Change, *, quoted: bool) -> Iterator[Splice]:
        quoted = quoted or (node.flow and quotes_keys(node))
        for key, child in self._children(node):
            below = change.below.get(key)
            if below is None or below.removed:
                if below is not None:
                    self._refuse(child, below)
                continue
            self._refuse(child, below)
            if self._kind(below) == "below":
                yield from self._below(child, below, quoted=quoted)
            elif node.flow:
                yield self._put_flow(child, below.put, quoted=quoted)
            elif node.kind == "map":
                yield from self._put_entry(node, self._key_of(node, child), child, below.put)
            else:
                yield self._put_item(child, below.put)
        if node.kind == "map":
            self._refuse_merged(node, change)
        if node.flow:
            yield from change_collection(self._text, node, change, self._pen, self._document.names, quoted=quoted)
        elif node.kind == "map":
            yield from self._change_map(node, change)
        else:
            yield from self._change_seq(node, change)

    def _children(self, node: Node) -> Iterator[tuple[PathPart, Node]]:
        if node.kind == "map":
            for key, value in node.entries:
                yield self._name(key), value
        else:
            yield from enumerate(node.items)

    def _name(self, key: Node) -> str:
        return self._document.names.get(id(key), key.value)

    @staticmethod
    def _key_of(node: Node, child: Node) -> Node:
        return next(key for key, value in node.entries if value is child)

    def _refuse_merged(self, node: Node, change: Change) -> None:
        own = {self._name(key) for key, _ in node.entries}
        for part, below in change.below.items():
            if part not in own and self._kind(below) != "put":
                raise CannotEdit("the value comes in through a merge key", where=dotted(below.path))

    def _put_flow(self, node: Node, value: Any, *, quoted: bool) -> Splice:
        text = self._text
        indent = own_line_indent(text, node.start)
        if indent is None and quoted:
            start = line_start(text, node.start)
            line = text[start : node.start]
            indent = line[: len(line) - len(line.lstrip(" \t"))] if line.lstrip().startswith('"') else None
        if node.kind == "scalar" and isinstance(value, str) and node.style in ("'", '"'):
            return Splice(node.start, node.end, render.string(value, flow=True, quote=node.style, force=True))
        written = self._pen.write(value, quoted=quoted, indent=indent, line=self._style.line)
        if node.start == node.end:
            before = text[: node.start].rstrip(" \t\r\n")
            written = f" {written}" if before.endswith((":", ",", "[")) else f": {written}"
        return Splice(node.start, node.end, written)

    def _spelled(self, old: Node, value: Any) -> str:
        """A value for one line, quoted as the scalar was that it replaces."""
        if isinstance(value, dict | list):
            return render.inline(value, quote=self._style.quote)
        force = isinstance(value, str) and old.style in ("'", '"')
        return render.scalar(value, flow=False, quote=old.style if force else self._style.quote, force=force)

    def _put_entry(self, node: Node, key: Node, old: Node, value: Any) -> Iterator[Splice]:
        text = self._text
        match = _COLON.match(text, key.end)
        if not match:
            raise CannotEdit("the key and its value are written in a way that cannot be changed", where=key.value)
        colon, style = match.end(), style_at(text, node, self._style)
        end = max(colon, old.end)
        below = render.after_colon(value, column(text, key.start), style)
        one_line = render.is_inline(value) and style.line not in below
        if old.flow and isinstance(value, dict | list):
            yield self._put_flow(old, value, quoted=quotes_keys(old))
        elif (old.kind in ("scalar", "alias") and old.style not in ("|", ">")) or old.flow:
            if one_line:
                spelled = self._spelled(old, value)
                yield (
                    Splice(old.start, old.end, spelled) if old.end > old.start else Splice(colon, colon, f" {spelled}")
                )
            else:
                # A comment after the old value stays on the key's line.
                yield Splice(colon, end, "")
                yield Splice(line_end(text, end), line_end(text, end), below)
        elif comment := _COMMENT_ONLY.match(text, colon):
            yield Splice(colon, colon, below if one_line else "")
            yield Splice(comment.end(), end, "" if one_line else below)
        else:
            yield Splice(colon, end, below)

    def _put_item(self, old: Node, value: Any) -> Splice:
        text = self._text
        if old.flow and isinstance(value, dict | list):
            return self._put_flow(old, value, quoted=quotes_keys(old))
        if render.is_inline(value) and (old.kind in ("scalar", "alias") or old.flow) and old.style not in ("|", ">"):
            spelled = self._spelled(old, value)
            return Splice(old.start, old.end, spelled if old.end > old.start else f" {spelled}")
        dash = self._dash(old, ())
        offset = self._style.item
        written = render.item(value, column(text, dash) + offset, self._style)
        return Splice(dash + 1, max(dash + 1, old.end), " " * (offset - 1) + written)

    def _dash(self, item: Node, path: DocumentPath) -> int:
        dash = dash_before(self._text, item)
        if dash < 0:
            raise CannotEdit("the item's dash is not in sight", where=dotted(path))
        return dash

    def _change_map(self, node: Node, change: Change) -> Iterator[Splice]:
        text = self._text
        names = [self._name(key) for key, _ in node.entries]
        gone = [name in change.below and change.below[name].removed for name in names]
        places = [(key.start, max(key.end, value.end)) for key, value in node.entries]
        yield from self._cut(places, gone)
        fresh = {str(part): below.put for part, below in change.below.items() if part not in names}
        if not fresh:
            return
        at = column(text, node.entries[0][0].start)
        last = max(index for index, lost in enumerate(gone) if not lost)
        if node.entries[last][1].start == places[last][1]:
            # An empty value ends behind the colon, which its node does not reach.
            match = _COLON.match(text, places[last][1])
            places[last] = (places[last][0], match.end() if match else places[last][1])
        end = line_end(text, places[last][1])
        style = style_at(text, node, self._style)
        for key, value in fresh.items():
            yield Splice(end, end, f"{style.line}{' ' * at}{render.entry(key, value, at, style)}")

    def _change_seq(self, node: Node, change: Change) -> Iterator[Splice]:
        text = self._text
        gone = [index in change.below and change.below[index].removed for index in range(len(node.items))]
        places = [(self._dash(item, change.path), item.end) for item in node.items] if any(gone) else []
        yield from self._cut(places, gone if places else [])
        if not change.added:
            return
        first = node.items[0]
        dash = column(text, self._dash(first, change.path))
        last = max(index for index, lost in enumerate(gone) if not lost)
        end = line_end(text, node.items[last].end)
        style = self._style
        for value in change.added:
            written = render.item(value, dash + style.item, style)
            yield Splice(end, end, f"{style.line}{' ' * dash}-{' ' * (style.item - 1)}{written}")

    def _cut(self, places: list[tuple[int, int]], gone: list[bool]) -> Iterator[Splice]:
        """Lines of the entries that go. The first entry behind a dash leaves the dash to the next one."""
        text = self._text
        index = 0
        while index < len(places):
            if not gone[index]:
                index += 1
                continue
            after = index
            while after + 1 < len(places) and gone[after + 1]:
                after += 1
            start, end = places[index][0], places[after][1]
            if only_spaces(text, line_start(text, start), start):
                yield from (self._lines(*places[one]) for one in range(index, after + 1))
            else:
                yield self._behind_dash(start, end, places[after + 1][0] if after + 1 < len(places) else -1)
            index = after + 1

    def _lines(self, start: int, end: int) -> Splice:
        text = self._text
        first, last = line_start(text, start), next_line(text, end)
        if last == len(text) and line_end(text, end) == last and first:
            # The last line has no break of its own: the one before it goes instead.
            first -= 2 if text[first - 2 : first] == "\r\n" else 1
        return Splice(first, last, "")

    def _behind_dash(self, start: int, end: int, follower: int) -> Splice:
        text = self._text
        if follower < 0:
            raise CannotEdit("nothing would be left behind the dash")
        below = next_line(text, end)
        if only_spaces(text, below, follower):
            return Splice(start, follower, "")
        return Splice(start, line_end(text, end), "")
