"""Edits of a Terraform text; the result is read again before it is believed.

A new list of bodies becomes nested blocks (``set`` at ``("logging", 0, "enabled")`` makes a ``logging`` block), any
other new value an attribute.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bulkhead.core.errors import CannotEdit
from bulkhead.core.finding import dotted
from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath
from bulkhead.formats.changes import ABSENT, Change, by_document, decide, patched, same
from bulkhead.formats.flow import change_collection, own_line_indent
from bulkhead.formats.hcl import render, tree
from bulkhead.formats.hcl.load import load
from bulkhead.formats.hcl.nodes import block_node
from bulkhead.formats.hcl.scope import Scope
from bulkhead.formats.model import BOUNDS, Bounds, Node, Splice
from bulkhead.formats.spans import line_break, line_end, line_start, next_line, only_spaces, spliced


def apply(data: bytes, edits: Sequence[Edit], *, bounds: Bounds = BOUNDS) -> bytes:
    """The bytes with all edits made; the same bytes when everything is so already.

    Values that variables or locals fill count as unknown: such an attribute can be set, but nothing below it.

    Raises:
        CannotEdit: the text cannot be changed without touching what was not asked.
        PlanRefused: two edits contradict each other.
    """
    loaded = load(data, scope=Scope(), bounds=bounds)
    if loaded.problems:
        raise CannotEdit(f"the text cannot be read: {loaded.problems[0].message}")
    blocks = list(tree.blocks(tree.parsed(data, bounds).root_node))
    text = data.decode("latin-1")
    intended = [block.body for block in loaded.documents]
    splices: list[Splice] = []
    for number, wanted in by_document(edits).items():
        if not 0 <= number < len(blocks):
            raise CannotEdit(f"there is no block {number}")
        change = decide(intended[number], wanted)
        if change.empty:
            continue
        if change.removed:
            splices.append(_line_cut(text, blocks[number].start_byte, blocks[number].end_byte))
            intended[number] = None
            continue
        writer = _Writer(text)
        splices += writer.body(block_node(blocks[number]), change)
        intended[number] = _without(patched(intended[number], change), writer.gone)
    result = spliced(text, splices).encode("latin-1")
    _verify(result, [body for body in intended if body is not None], bounds, edits)
    return result


def _without(body: Any, paths: Sequence[DocumentPath]) -> Any:
    """The body without the block types of which none is left."""
    for path in paths:
        body = patched(body, _removal(path, 0))
    return body


def _removal(path: DocumentPath, depth: int) -> Change:
    if depth == len(path):
        return Change(path, removed=True)
    return Change(path[:depth], below={path[depth]: _removal(path, depth + 1)})


def _verify(result: bytes, intended: Sequence[Any], bounds: Bounds, edits: Sequence[Edit]) -> None:
    after = load(result, scope=Scope(), bounds=bounds)
    where = ", ".join(dotted(edit.path) for edit in edits[:3])
    if after.problems:
        raise CannotEdit(f"the changed text would not be valid: {after.problems[0].message}", where=where)
    bodies = [block.body for block in after.documents]
    if len(bodies) != len(intended) or not all(map(same, bodies, intended)):
        raise CannotEdit("the changed text would mean something else than was asked", where=where)


def _line_cut(text: str, start: int, end: int) -> Splice:
    """Whole lines where nothing else stands on them."""
    first, last = line_start(text, start), line_end(text, end)
    rest = text[end:last].strip(" \t")
    if only_spaces(text, first, start) and (not rest or rest.startswith(("#", "//"))):
        return Splice(first, next_line(text, end), "")
    return Splice(start, end, "")


def _spread(node: Node, change: Change) -> Change:
    """A body put as a whole: all it had goes, all that is new comes; what is in both would need a comparison."""
    own = {key.value for key, _ in node.entries}
    if not isinstance(change.put, dict) or own & change.put.keys():
        raise CannotEdit("a whole body is not replaced by an edit", where=dotted(change.path))
    out = Change(change.path)
    out.below = {name: Change((*change.path, name), removed=True) for name in own}
    out.below |= {name: Change((*change.path, name), put=value) for name, value in change.put.items()}
    return out


def _gone(change: Change | None, node: Node) -> bool:
    """Whether an entry will not be there to write behind; the last block of a type may go too."""
    if change is None:
        return False
    last = change.below.get(len(node.items) - 1)
    return change.removed or change.put == [] or (last is not None and last.removed)


class _Writer:
    """Splices for one block. ``gone`` collects the paths of block types of which none is left."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = line_break(text)
        self.gone: list[DocumentPath] = []

    def body(self, node: Node, change: Change) -> Iterator[Splice]:
        if not change.below:
            change = _spread(node, change)
        if node.style == "labelled":
            for _, child in node.entries:
                yield from self.body(child, next(iter(change.below.values())))
            return
        fresh: dict[str, Any] = {}
        own = {key.value: (key, value) for key, value in node.entries}
        for part, below in change.below.items():
            if part not in own:
                if below.put is ABSENT:
                    raise CannotEdit("the value is not written out here", where=dotted(below.path))
                fresh[str(part)] = below.put
                continue
            key, value = own[str(part)]
            if value.style == "blocks":
                yield from self._blocks(key.value, value, below)
            elif below.removed:
                yield _line_cut(self._text, key.start, value.last)
            else:
                yield from self._expression(value, below)
        if fresh:
            yield from self._fresh(node, fresh, change)

    def _blocks(self, name: str, node: Node, change: Change) -> Iterator[Splice]:
        if change.removed or (change.put == [] and isinstance(change.put, list)):
            if not change.removed:
                self.gone.append(change.path)
            yield from (_line_cut(self._text, item.start, item.end) for item in node.items)
            return
        if not change.below and not change.added:
            raise CannotEdit("blocks are not replaced as a whole", where=dotted(change.path))
        for index, item in enumerate(node.items):
            below = change.below.get(index)
            if below is not None and below.removed:
                yield _line_cut(self._text, item.start, item.end)
            elif below is not None:
                yield from self.body(item, below)
        last = node.items[-1]
        indent = own_line_indent(self._text, last.start)
        if change.added and (indent is None or not render.is_blocks(change.added)):
            raise CannotEdit("a block cannot be added here", where=dotted(change.path))
        for body in change.added:
            end = line_end(self._text, last.end)
            yield Splice(end, end, self._line + render.block(name, body, indent or "", "  ", self._line))

    def _expression(self, node: Node, change: Change) -> Iterator[Splice]:
        text = self._text
        if not change.below and not change.added:
            start = line_start(text, node.start)
            indent = text[start : node.start]
            indent = indent[: len(indent) - len(indent.lstrip(" \t"))]
            yield Splice(node.start, node.end, render.expression(change.put, indent, self._line))
            return
        if not node.flow:
            raise CannotEdit("the value is computed", where=dotted(change.path))
        children: list[tuple[Any, Node]] = [(key.value, value) for key, value in node.entries]
        for name, child in children or list(enumerate(node.items)):
            below = change.below.get(name)
            if below is not None and not below.removed:
                yield from self._expression(child, below)
        yield from change_collection(text, node, change, render.PEN, {}, quoted=False)

    def _fresh(self, node: Node, fresh: dict[str, Any], change: Change) -> Iterator[Splice]:
        """New attributes behind the last attribute, new blocks at the end of the body."""
        text, line = self._text, self._line
        outer = text[line_start(text, node.start) : node.start]
        outer = outer[: len(outer) - len(outer.lstrip(" \t"))]
        kept = [(key, value) for key, value in node.entries if not _gone(change.below.get(key.value), value)]
        attributes = [(key, value) for key, value in kept if value.style != "blocks"]
        if node.entries:
            indent = own_line_indent(text, node.entries[0][0].start)
            if indent is None:
                raise CannotEdit("the block stands on one line", where=dotted(change.path))
        else:
            indent = outer + "  "
        unit = indent.removeprefix(outer) or "  "
        width = self._width(attributes)
        flat = [render.attribute(n, v, indent, line, width) for n, v in fresh.items() if not render.is_blocks(v)]
        deep = [
            render.block(n, body, indent, unit, line)
            for n, value in fresh.items()
            if render.is_blocks(value)
            for body in value
        ]
        opening = text.index("{", node.start) + 1
        if not node.entries and text[opening : node.end - 1].strip(" \t") == "":
            yield Splice(opening, node.end - 1, line + line.join(flat + deep) + line + outer)
            return
        after = line_end(text, attributes[-1][1].last) if attributes else line_end(text, opening)
        if flat:
            yield Splice(after, after, "".join(line + one for one in flat))
        if deep:
            ends = [value.last for _, value in kept]
            end = line_end(text, max(ends)) if ends else after
            yield Splice(end, end, "".join(line + one for one in deep))

    def _width(self, attributes: Sequence[tuple[Node, Node]]) -> int:
        """How far the equals sign of the last attribute stands from the start of its name."""
        if not attributes:
            return 0
        key = attributes[-1][0]
        equals = self._text.find("=", key.end)
        return max(equals - 1 - key.start, 0)
